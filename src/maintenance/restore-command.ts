import { systemClock } from "#base/clock.ts";
import { isWell, reportText } from "#maintenance/check-report.ts";
import type { CommandOutcome, Given, OfflineCommand } from "#maintenance/given.ts";
import { restore } from "#maintenance/restore.ts";

export const RESTORE: OfflineCommand = {
  help: `lode restore --from DIR --data DIR [options]

Makes a data directory of a backup.

  --from DIR      what "lode backup --to" made
  --data DIR      a new directory, or an empty one [LODE_DATA]
  --copy          copy blobs also on the same file system, where they are linked otherwise
  --checksums     read every blob, and compare its CRC32
  --rate MIB      how much of them to read in a second, at the most: 200
  --json          print the report as JSON

Exit codes: 0 done; 1 something is wrong with what was restored; 2 wrong usage.
`,
  options: {
    from: { type: "string" },
    data: { type: "string" },
    copy: { type: "boolean" },
    checksums: { type: "boolean" },
    rate: { type: "string" },
  },
  run: runRestore,
};

async function runRestore(
  given: Given,
  progress: (what: string, done: number) => void,
): Promise<CommandOutcome> {
  const [from, data] = [given.path("from"), given.path("data")];
  const report = await restore({
    ...{ from, data, clock: systemClock, progress },
    copyBlobs: given.is("copy"),
    checksumBytesPerSecond: given.is("checksums") ? given.rate() : undefined,
  });
  const { linked, copied } = report.blobs;
  const taken = new Date(report.takenMs).toISOString();
  const end = `${data} is as it was at ${taken} (blobs: ${linked} linked, ${copied} copied).`;
  const text = `${reportText(report.check)}\n${end}\n`;
  return { text, json: report, isWell: isWell(report.check) };
}
