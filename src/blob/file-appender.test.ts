import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemDisk } from "#blob/disk.ts";
import { FileAppender } from "#blob/file-appender.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** The system may take fewer bytes than it was given, as it does when a disk is nearly full. */
function takingAtMost(bytesMax: number) {
  const cut = (pieces: readonly Uint8Array[]) => {
    const [first = Buffer.alloc(0), second] = pieces;
    if (first.length >= bytesMax || second === undefined) return [first.subarray(0, bytesMax)];
    return [first, second.subarray(0, bytesMax - first.length)];
  };
  return {
    write: (file: FileHandle, pieces: readonly Uint8Array[], at: number) =>
      systemDisk.write(file, cut(pieces), at),
  };
}

test("every byte is written once and in order, however few the system takes at a time", async () => {
  const directory = await temporaryDirectory();
  let files = 0;
  const chunk = fc.tuple(fc.nat(60_000), fc.boolean());
  await fc.assert(
    fc.asyncProperty(
      fc.array(chunk, { maxLength: 12 }),
      fc.integer({ min: 5_000, max: 90_000 }),
      async (given, bytesMax) => {
        files += 1;
        const path = join(directory, `${files}`);
        await using file = await open(path, "wx");
        const appender = new FileAppender(file, 0, takingAtMost(bytesMax));
        const chunks = given.map(([size], index) => Buffer.alloc(size, index + 1));
        for (const [index, bytes] of chunks.entries()) {
          await appender.write(bytes, { stays: given[index]?.[1] === true });
        }
        await appender.flush();

        assert.ok(Buffer.concat(chunks).equals(await readFile(path)));
      },
    ),
    { numRuns: 50 },
  );
});
