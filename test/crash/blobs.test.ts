/** What FileBlobStore leaves when the power is cut: at every moment, with every fate of what was not synced. */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { BlockSums } from "#blob/block-sums.ts";
import { type Disk, systemDisk } from "#blob/disk.ts";
import { FileBlobStore } from "#blob/files.ts";
import { pathOf } from "#blob/names.ts";
import type { BlobId } from "#blob/store.ts";
import { sampleBytes, storeBlob } from "#test/contract/blob-store.ts";
import { cutAt } from "#test/crash/cut.ts";
import { drawnFate, FATES } from "#test/crash/fates.ts";
import { FAULTY_DISKS } from "#test/crash/faulty-disks.ts";
import { type Span, Tape } from "#test/crash/tape.ts";
import { LONG } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const MEBIBYTE = 2 ** 20;
/** Nothing, less than a buffer, two of them; and so many that some share a directory's sync. */
const SIZES = [0, 40, 1_000, MEBIBYTE + 5, ...Array.from({ length: 44 }, (_, at) => 10 + at)];
const DRAWN_FATES = LONG ? 500 : 3;

interface Written {
  readonly id: BlobId;
  readonly bytes: Buffer;
  readonly writing: Span;
  /** Begun when it was removed again. */
  removedAt: number;
}

interface Recorded {
  readonly tape: Tape;
  readonly blobs: readonly Written[];
}

test("at any cut a finished blob is there, and whatever has a blob's name is whole", async () => {
  const recorded = await record((disk) => disk);

  const states = requireEveryCut(recorded);

  assert.ok(states > 1_000);
});

for (const [fault, change] of Object.entries(FAULTY_DISKS)) {
  test(`a disk that ${fault} is found out`, async () => {
    const recorded = await record(change);

    assert.throws(() => requireEveryCut(recorded), assert.AssertionError);
  });
}

test("what a killed start had made, and the next one found, is durable with its first blob", async () => {
  for (const steps of [0, 1, 2, 3, 100, 257, 258, 259, 260]) {
    const tape = new Tape();
    const root = join(await temporaryDirectory(), "data", "blobs");
    const dying = dyingAfter(steps, systemDisk);
    const killed = FileBlobStore.open({ root, owner: "killed", disk: tape.disk(dying) });
    const ended = await killed.catch(() => undefined);
    await ended?.[Symbol.asyncDispose]();
    await using store = await FileBlobStore.open({ root, owner: "next", disk: tape.disk() });
    const id = await storeBlob(store, sampleBytes(40));

    const nothingMore = FATES["nothing that was not synced is there"];
    assert.ok(nothingMore !== undefined);
    const { files } = cutAt(tape, tape.ticks, nothingMore);
    const there = [...files.keys()].map((path) => basename(path));
    assert.deepEqual(there, [nameOf({ id })], `killed after ${steps} steps`);
  }
});

/** Fails every call after so many, as if the process were no more. */
function dyingAfter(steps: number, disk: Disk): Disk {
  let left = steps;
  const living = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left < 0) throw new Error("killed");
    return await work();
  };
  return {
    ...disk,
    makeDirectory: (path) => living(() => disk.makeDirectory(path)),
    syncDirectory: (directory) => living(() => disk.syncDirectory(directory)),
  };
}

async function record(change: (disk: Disk) => Disk): Promise<Recorded> {
  const tape = new Tape();
  const root = await temporaryDirectory();
  await using store = await FileBlobStore.open({ root, owner: "test", disk: change(tape.disk()) });
  const write = async (sizeBytes: number, index: number): Promise<Written> => {
    const bytes = sampleBytes(sizeBytes, index);
    const begun = tape.tick();
    await using writer = await store.create();
    await writer.write(bytes);
    const { id } = await writer.finish();
    const blob = { id, bytes, writing: { begun, ended: tape.tick() }, removedAt: Infinity };
    if (index % 5 !== 0) return blob;
    blob.removedAt = tape.tick();
    await store.remove(id);
    return blob;
  };
  return { tape, blobs: await Promise.all(SIZES.map(write)) };
}

/** How many states were looked at. Fails: AssertionError. */
function requireEveryCut({ tape, blobs }: Recorded): number {
  const byName = new Map(blobs.map((blob) => [nameOf(blob), fileOfBlob(blob)]));
  let states = 0;
  for (let tick = 0; tick <= tape.ticks; tick += 1) {
    const drawn = Array.from({ length: DRAWN_FATES }, (_, at) => drawnFate(tick * 1_000 + at));
    for (const fate of [...Object.values(FATES), ...drawn]) {
      const { files } = cutAt(tape, tick, fate);
      const there = new Set<string>();
      for (const [path, bytes] of files) {
        if (basename(dirname(path)) === "tmp") continue;
        const name = basename(path);
        there.add(name);
        assert.ok(byName.get(name)?.equals(bytes), `${name} is not whole, cut at ${tick}`);
      }
      for (const blob of blobs) {
        const mustBe = blob.writing.ended <= tick && blob.removedAt > tick;
        assert.ok(there.has(nameOf(blob)) || !mustBe, `${blob.id} is missing, cut at ${tick}`);
      }
      states += 1;
    }
  }
  return states;
}

function nameOf({ id }: Pick<Written, "id">): string {
  return basename(pathOf({ id, isSummed: true }));
}

/** What its file has: its bytes and their sums. */
function fileOfBlob({ bytes }: Written): Buffer {
  const running = new BlockSums();
  running.update(bytes);
  return Buffer.concat([bytes, ...running.finish().sums]);
}
