import { systemClock } from "#base/clock.ts";
import { FileBlobStore } from "#blob/files.ts";
import { check } from "#check/check.ts";
import { isWell, reportText } from "#maintenance/check-report.ts";
import {
  type CommandOutcome,
  type Given,
  type OfflineCommand,
  requireDataDirectory,
} from "#maintenance/given.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { dataDirectoryAt, openDataDirectory } from "#server/data-directory.ts";

export const CHECK: OfflineCommand = {
  help: `lode check --data DIR [options]

Looks whether all that is stored fits together. Without options it changes nothing.

  --data DIR      the data directory [LODE_DATA]; no server may have it, unless --online
  --online        beside a server that has it
  --checksums     read every blob, and compare its CRC32 with what was written
  --rate MIB      how much of them to read in a second, at the most: 200
  --repair        mend what takes no guess: lost heads, references, counters, indexes
  --discard       with --repair: let go what nothing holds, though it may be the last trace of something
  --json          print the report as JSON

Exit codes: 0 nothing is wrong, or all was mended; 1 something is wrong; 2 wrong usage, or no such directory.
`,
  options: {
    data: { type: "string" },
    online: { type: "boolean" },
    checksums: { type: "boolean" },
    rate: { type: "string" },
    repair: { type: "boolean" },
    discard: { type: "boolean" },
  },
  run: runCheck,
};

async function runCheck(
  given: Given,
  progress: (what: string, done: number) => void,
): Promise<CommandOutcome> {
  const path = given.path("data");
  requireDataDirectory(path);
  const isServed = given.is("online");
  await using directory = isServed ? dataDirectoryAt(path) : await openDataDirectory(path);
  await using meta = new LmdbMetaStore(directory.metadata);
  await using blobs = await FileBlobStore.open({
    root: directory.blobs,
    owner: `check-${process.pid}`,
  });
  const report = await check({
    ...{ meta, blobs, clock: systemClock, isServed, progress },
    repair: given.is("repair"),
    discard: given.is("discard"),
    checksumBytesPerSecond: given.is("checksums") ? given.rate() : undefined,
  });
  return { text: reportText(report), json: report, isWell: isWell(report) };
}
