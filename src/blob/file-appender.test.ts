import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { systemDisk } from "#blob/disk.ts";
import { EARLY_SYNC_BYTES } from "#blob/early-sync.ts";
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
    syncFile: systemDisk.syncFile,
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

/** A disk whose syncs end when they are told to. */
class SlowDisk {
  readonly write = systemDisk.write;
  readonly begun: { readonly fd: number; readonly end: () => void; readonly fail: () => void }[] =
    [];
  readonly syncFile = ({ fd }: FileHandle): Promise<void> =>
    new Promise((end, fail) => {
      this.begun.push({ fd, end, fail: () => fail(new Error("EIO")) });
    });
}

async function newFile(): Promise<FileHandle> {
  return await open(join(await temporaryDirectory(), "file"), "wx");
}

test("a large file is synced while more of it comes, one file of all at a time", async () => {
  const disk = new SlowDisk();
  await using first = await newFile();
  await using second = await newFile();
  const appenders = [first, second].map((file) => new FileAppender(file, 0, disk));
  for (const appender of appenders) {
    for (let count = 0; count < 3; count += 1) await appender.write(Buffer.alloc(EARLY_SYNC_BYTES));
  }
  assert.deepEqual(
    disk.begun.map(({ fd }) => fd),
    [first.fd],
  );

  for (const { end } of disk.begun) end();
  for (const appender of appenders) await appender.flush();
  const [, other] = appenders;
  await other?.write(Buffer.alloc(1));
  await other?.write(Buffer.alloc(EARLY_SYNC_BYTES));
  assert.deepEqual(
    disk.begun.map(({ fd }) => fd),
    [first.fd, second.fd],
  );
  for (const { end } of disk.begun) end();
  await other?.flush();
});

test("a sync that failed on the way fails the file, as the one at its end would find nothing", async () => {
  const disk = new SlowDisk();
  await using file = await newFile();
  const appender = new FileAppender(file, 0, disk);
  await appender.write(Buffer.alloc(EARLY_SYNC_BYTES));
  disk.begun[0]?.fail();

  await assert.rejects(appender.flush(), { message: "EIO" });
  await appender.abandon();
  const next = new FileAppender(file, 0, disk);
  await next.write(Buffer.alloc(EARLY_SYNC_BYTES));
  assert.equal(disk.begun.length, 2);
  disk.begun[1]?.end();
  await next.flush();
});
