import { systemClock } from "#base/clock.ts";
import { backup } from "#maintenance/backup.ts";
import { isWell, reportText } from "#maintenance/check-report.ts";
import {
  type CommandOutcome,
  type Given,
  type OfflineCommand,
  requireDataDirectory,
} from "#maintenance/given.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { dataDirectoryAt } from "#server/data-directory.ts";

export const BACKUP: OfflineCommand = {
  help: `lode backup --data DIR --to DIR [options]

Copies a data directory as it is at one moment, whether a server runs on it or not. A second backup to the
same place brings only what is new. It counts when a check of it has found nothing wrong.

  --data DIR      the data directory [LODE_DATA]
  --to DIR        a new directory, or that of an earlier backup
  --with-keys     the root key, the operator's token and the master keys too: whoever has them has everything
  --copy          copy blobs also on the same file system, where they are linked otherwise
  --checksums     read every blob of the copy, and compare its CRC32
  --rate MIB      how much of them to read in a second, at the most: 200
  --even-damaged  keep it though something is wrong with it
  --json          print the report as JSON

Exit codes: 0 done; 1 something is wrong, and the backup before still counts; 2 wrong usage.
`,
  options: {
    data: { type: "string" },
    to: { type: "string" },
    "with-keys": { type: "boolean" },
    copy: { type: "boolean" },
    checksums: { type: "boolean" },
    rate: { type: "string" },
    "even-damaged": { type: "boolean" },
  },
  run: runBackup,
};

async function runBackup(
  given: Given,
  progress: (what: string, done: number) => void,
): Promise<CommandOutcome> {
  const [path, to] = [given.path("data"), given.path("to")];
  requireDataDirectory(path);
  await using from = dataDirectoryAt(path);
  await using meta = new LmdbMetaStore(from.metadata);
  const report = await backup({
    ...{ from, meta, to, clock: systemClock, progress },
    withKeys: given.is("with-keys"),
    copyBlobs: given.is("copy"),
    evenDamaged: given.is("even-damaged"),
    checksumBytesPerSecond: given.is("checksums") ? given.rate() : undefined,
  });
  const { kept, linked, copied } = report.blobs;
  const end = report.isTaken
    ? `The backup ${report.snapshot} is taken.`
    : `It does not count, since something is wrong with it. Mend the data directory first ("lode check --data ${path} --repair"), or say --even-damaged.`;
  const did = `blobs: ${linked} linked, ${copied} copied, ${kept} were there, ${report.removed} old ones removed`;
  const text = `${reportText(report.check)}\n${did}\n${end}\n`;
  return { text, json: report, isWell: isWell(report.check) };
}
