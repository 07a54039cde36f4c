import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { randomHex } from "#base/random.ts";
import { buffersLent } from "#blob/buffer-pool.ts";
import { FileBlobStore } from "#blob/files.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { pathOf } from "#blob/names.ts";
import {
  blobStoreContract,
  readBlob,
  readChecked,
  sampleBytes,
  storeBlob,
} from "#test/contract/blob-store.ts";

const MEBIBYTE = 2 ** 20;
const BLOCK = 64 * 1_024;
const parent = await mkdtemp(join(tmpdir(), "lode-blobs-"));
after(async () => {
  await rm(parent, { recursive: true });
  assert.equal(buffersLent(), 0);
});

blobStoreContract("memory", async () => new MemoryBlobStore());
blobStoreContract("files", async () => open(newRoot()));

test("files: a root is made with its ancestors, and opens again with what it holds", async () => {
  const root = join(newRoot(), "deep", "down");
  const bytes = sampleBytes(1000);
  const first = await open(root);
  const id = await storeBlob(first, bytes);
  await first[Symbol.asyncDispose]();

  await using second = await open(root);

  assert.ok(bytes.equals(await readBlob(second, id, { from: 0, to: 1000 })));
  assert.equal((await readdir(root)).length, 257);
});

test("files: two stores share a root", async () => {
  const root = newRoot();
  await using one = await open(root);
  await using other = await open(root);
  const bytes = sampleBytes(1000);

  const id = await storeBlob(one, bytes);

  assert.ok(bytes.equals(await readBlob(other, id, { from: 0, to: 1000 })));
});

test("files: no temporary file stays, whether its writer finished or not", async () => {
  const root = newRoot();
  await using store = await open(root);
  await storeBlob(store, sampleBytes(10));
  {
    await using writer = await store.create();
    await writer.write(sampleBytes(2 * MEBIBYTE, 3).subarray(0, MEBIBYTE - 1));
    await writer.write(sampleBytes(100));
    assert.equal((await readdir(join(root, "tmp"))).length, 1);
  }

  assert.deepEqual(await readdir(join(root, "tmp")), []);
});

test("files: a sweep removes what a killed process left, and nothing else", async () => {
  const root = newRoot();
  await FileBlobStore.sweepTemporary(root); // A root that is not there yet.
  await using store = await open(root);
  const id = await storeBlob(store, sampleBytes(10));
  await writeFile(join(root, "tmp", "killed-0"), "half");

  await FileBlobStore.sweepTemporary(root);

  assert.deepEqual(await readdir(join(root, "tmp")), []);
  assert.equal(await store.size(id), 10);
});

test("files: a file that lost its end is corrupt", async () => {
  const root = newRoot();
  await using store = await open(root);
  const id = await storeBlob(store, sampleBytes(3 * MEBIBYTE));
  await truncate(fileIn(root, id), 2 * MEBIBYTE + 1);

  await assert.rejects(readBlob(store, id, { from: 0, to: 3 * MEBIBYTE }), { kind: "corrupt" });
  assert.equal(buffersLent(), 0);
});

test("files: a byte that is not what was written never comes, and what stands elsewhere does", async () => {
  const root = newRoot();
  await using store = await open(root);
  const bytes = sampleBytes(3 * MEBIBYTE + 77);
  const id = await storeBlob(store, bytes);
  const spoiled = await readFile(fileIn(root, id));
  const at = MEBIBYTE + 5;
  spoiled.writeUInt8(spoiled.readUInt8(at) ^ 1, at);
  await writeFile(fileIn(root, id), spoiled);

  for (const range of [
    { from: at, to: at + 1 },
    { from: MEBIBYTE + BLOCK - 1, to: MEBIBYTE + BLOCK },
    { from: 0, to: bytes.length },
  ]) {
    await assert.rejects(readChecked(store, id, range), { kind: "corrupt" });
  }
  for (const range of [
    { from: 0, to: MEBIBYTE },
    { from: MEBIBYTE + BLOCK, to: bytes.length },
  ]) {
    const got = await readChecked(store, id, range);
    assert.ok(got.equals(bytes.subarray(range.from, range.to)));
  }
  assert.equal(buffersLent(), 0);
});

test("files: a damaged sum has its block refused, and no other", async () => {
  const root = newRoot();
  await using store = await open(root);
  const bytes = sampleBytes(3 * BLOCK);
  const id = await storeBlob(store, bytes);
  const spoiled = await readFile(fileIn(root, id));
  spoiled.writeUInt8(spoiled.readUInt8(bytes.length + 4) ^ 1, bytes.length + 4);
  await writeFile(fileIn(root, id), spoiled);

  const got = await readChecked(store, id, { from: 0, to: BLOCK });

  assert.ok(got.equals(bytes.subarray(0, BLOCK)));
  await assert.rejects(readChecked(store, id, { from: BLOCK, to: BLOCK + 1 }), { kind: "corrupt" });
});

test("files: a blob of an earlier version, which has no sums, is read, listed and removed", async () => {
  const root = newRoot();
  await using store = await open(root);
  const bytes = sampleBytes(2 * MEBIBYTE);
  const id = "0123456789abcdef".repeat(2);
  await writeFile(join(root, "01", id), bytes);

  assert.ok(bytes.equals(await readBlob(store, id, { from: 0, to: bytes.length })));
  assert.ok(
    bytes.subarray(5, 70_000).equals(await readChecked(store, id, { from: 5, to: 70_000 })),
  );
  assert.equal(await store.size(id), bytes.length);
  for await (const found of store.list())
    assert.deepEqual([found.id, found.sizeBytes], [id, bytes.length]);
  await assert.rejects(readBlob(store, id, { from: 0, to: bytes.length + 1 }), { kind: "corrupt" });
  await store.remove(id);
  assert.deepEqual(await readdir(join(root, "01")), []);
});

test("files: a foreign file is not listed", async () => {
  const root = newRoot();
  await using store = await open(root);
  await writeFile(join(root, "00", "README"), "");

  for await (const { id } of store.list()) assert.fail(`${id} is no blob`);
});

test("files: a directory that disappeared makes the store unavailable and leaks nothing", async () => {
  const root = newRoot();
  await using store = await open(root);
  await using writer = await store.create();
  await writer.write(sampleBytes(1000));
  for (const name of await readdir(root)) {
    if (name !== "tmp") await rm(join(root, name), { recursive: true });
  }

  await assert.rejects(writer.finish(), { name: "StorageError", kind: "unavailable" });

  assert.deepEqual(await readdir(join(root, "tmp")), []);
});

test("files: a reader uses at most three buffers, a writer two, whatever the sizes", async () => {
  await using store = await open(newRoot());
  let most = 0;
  const writer = await store.create();
  const chunk = sampleBytes(64 * 1024);
  for (let i = 0; i < 512; i += 1) {
    await writer.write(chunk);
    most = Math.max(most, buffersLent());
  }
  const { id } = await writer.finish();
  assert.ok(most <= 2);
  assert.equal(buffersLent(), 0);

  most = 0;
  for await (const _ of store.read(id, { from: 0, to: 32 * MEBIBYTE })) {
    most = Math.max(most, buffersLent());
  }
  assert.equal(most, 3);
  assert.equal(buffersLent(), 0);
});

test("files: a consumer that stops or throws gives every buffer back", async () => {
  await using store = await open(newRoot());
  const id = await storeBlob(store, sampleBytes(8 * MEBIBYTE));
  const range = { from: 0, to: 8 * MEBIBYTE };
  const stopsAfter = async (chunks: number, act: () => void) => {
    let seen = 0;
    for await (const _ of store.read(id, range)) {
      seen += 1;
      if (seen === chunks) act();
      if (seen === chunks) break;
    }
  };

  for (let chunks = 1; chunks <= 9; chunks += 1) {
    await stopsAfter(chunks, () => {});
    await assert.rejects(
      stopsAfter(chunks, () => {
        throw new Error("client left");
      }),
      { message: "client left" },
    );
  }

  assert.equal(buffersLent(), 0);
});

/** Fills a file system of 4 MiB, then shows that the store works on when there is space again. */
const FILLS_A_DISK = `
  import { readdir } from "node:fs/promises";
  import { buffersLent } from "#blob/buffer-pool.ts";
import { FileBlobStore } from "#blob/files.ts";
  const root = process.argv[1];
  await using store = await FileBlobStore.open({ root, owner: "test" });
  const kinds = [];
  for (const chunk of [Buffer.alloc(65536, 1), Buffer.alloc(2 ** 21, 1)]) {
    await using writer = await store.create();
    try {
      for (let i = 0; i < 128; i += 1) await writer.write(chunk);
      await writer.finish();
    } catch (error) {
      kinds.push(error.kind);
    }
    kinds.push(...(await readdir(root + "/tmp")), buffersLent());
  }
  await using writer = await store.create();
  await writer.write(Buffer.alloc(100_000));
  kinds.push(await store.size((await writer.finish()).id));
  process.stdout.write(JSON.stringify(kinds));
`;

test("files: a full disk fails the write with full, and its temporary file is gone", async (t) => {
  const root = newRoot();
  const script = 'mkdir "$1" && mount -t tmpfs -o size=4m none "$1" || exit 42; shift; exec "$@"';
  const node = [process.execPath, "--input-type=module", "--eval", FILLS_A_DISK, "--", root];
  const inOwnNamespace = ["-rm", "sh", "-c", script, "sh", root, ...node];

  const { status, stdout, stderr, error } = spawnSync("unshare", inOwnNamespace, {
    encoding: "utf8",
    cwd: join(import.meta.dirname, "../.."),
  });

  if (error !== undefined || status === 42 || stderr.startsWith("unshare:")) {
    return t.skip("this machine does not let us mount a small file system");
  }
  assert.equal(stderr, "");
  assert.deepEqual(JSON.parse(stdout), ["full", 0, "full", 0, 100_000]);
});

function fileIn(root: string, id: string): string {
  return join(root, pathOf({ id, isSummed: true }));
}

function newRoot(): string {
  return join(parent, randomHex(8));
}

function open(root: string): Promise<FileBlobStore> {
  return FileBlobStore.open({ root, owner: randomHex(8) });
}
