import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32Of } from "#base/checksum.ts";
import type { BlobId, BlobStore, ByteRange } from "#blob/store.ts";

const MEBIBYTE = 2 ** 20;
const NO_BLOB = "0".repeat(32);

/** The laws in blob/store.ts, proved for any implementation. Each adapter has a test that calls this. */
export function blobStoreContract(adapter: string, open: () => Promise<BlobStore>): void {
  writing(adapter, open);
  reading(adapter, open);
  removing(adapter, open);
}

/** Bytes that differ at every offset a fault could shift them by; the same for the same seed. */
export function sampleBytes(sizeBytes: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = state ^ (state >>> 15);
  }
  return Buffer.from(words.buffer, 0, sizeBytes);
}

/** Stores `bytes` as one blob, in chunks of the given size. */
export async function storeBlob(
  store: BlobStore,
  bytes: Buffer,
  chunkBytes = 64 * 1024,
): Promise<BlobId> {
  await using writer = await store.create();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await writer.write(bytes.subarray(at, at + chunkBytes));
  }
  return (await writer.finish()).id;
}

/** All bytes of a range. */
export async function readBlob(store: BlobStore, id: BlobId, range: ByteRange): Promise<Buffer> {
  return await collected(store.read(id, range));
}

/** All bytes of a range, each block of which was compared with its sum. */
export async function readChecked(store: BlobStore, id: BlobId, range: ByteRange): Promise<Buffer> {
  return await collected(store.readChecked(id, range));
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

function writing(adapter: string, open: () => Promise<BlobStore>): void {
  test(`${adapter}: gives back a blob whatever the size of the chunks it came in`, async () => {
    await using store = await open();
    const sizes = fc.oneof(
      fc.nat(70_000),
      fc.integer({ min: MEBIBYTE - 2, max: MEBIBYTE + 2 }),
      fc.nat(3 * MEBIBYTE),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(sizes, fc.boolean()), { maxLength: 9 }), async (given) => {
        await using writer = await store.create();
        const chunks = given.map(([sizeBytes], i) => sampleBytes(sizeBytes, i));
        for (const [index, chunk] of chunks.entries()) {
          const stays = given[index]?.[1] === true;
          const lent = Buffer.from(chunk);
          await writer.write(lent, { stays });
          if (!stays) lent.fill(0); // It is ours again.
        }
        const { id, crc32 } = await writer.finish();

        const whole = Buffer.concat(chunks);
        assert.equal(crc32, crc32Of(whole));
        assert.equal(await store.size(id), whole.length);
        assert.ok(whole.equals(await readBlob(store, id, { from: 0, to: whole.length })));
      }),
      { numRuns: 40 },
    );
  });

  test(`${adapter}: an id is 32 hexadecimal digits and is never given twice`, async () => {
    await using store = await open();
    const bytes = sampleBytes(10);

    const ids = [await storeBlob(store, bytes), await storeBlob(store, bytes)];

    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(new Set(ids).size, 2);
  });

  test(`${adapter}: an unfinished blob is nowhere, while it is written and after`, async () => {
    await using store = await open();
    {
      await using writer = await store.create();
      await writer.write(sampleBytes(3 * MEBIBYTE));
      await writer.write(sampleBytes(1000));
      assert.deepEqual(await listed(store), []);
    }
    assert.deepEqual(await listed(store), []);
  });

  test(`${adapter}: a writer that ended is not used again`, async () => {
    await using store = await open();
    const writer = await store.create();
    await writer.finish();

    await assert.rejects(writer.write(sampleBytes(1)), { name: "Bug" });
    await assert.rejects(writer.finish(), { name: "Bug" });
    await writer[Symbol.asyncDispose]();
    assert.equal((await listed(store)).length, 1);
  });

  test(`${adapter}: writers side by side do not mix`, async () => {
    await using store = await open();
    const blobs = Array.from({ length: 40 }, (_, i) => sampleBytes(100_000 + i * 50_000, i));

    const ids = await Promise.all(blobs.map((bytes) => storeBlob(store, bytes, 30_011)));

    for (const [i, bytes] of blobs.entries()) {
      const id = ids[i] ?? NO_BLOB;
      assert.ok(bytes.equals(await readBlob(store, id, { from: 0, to: bytes.length })));
    }
  });
}

function reading(adapter: string, open: () => Promise<BlobStore>): void {
  test(`${adapter}: reads any range`, async () => {
    await using store = await open();
    const bytes = sampleBytes(5 * MEBIBYTE + 12_345);
    const id = await storeBlob(store, bytes);
    const edge = fc
      .tuple(fc.nat(5), fc.integer({ min: -2, max: 2 }))
      .map(([buffers, off]) => Math.max(0, buffers * MEBIBYTE + off));
    const offset = fc.oneof(edge, fc.nat(bytes.length), fc.constant(bytes.length));
    const range = fc
      .tuple(offset, fc.oneof(offset, fc.constantFrom(16_384, 65_535, 65_536, 65_537)))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    await fc.assert(
      fc.asyncProperty(range, async ({ from, to }) => {
        const got = await readBlob(store, id, { from, to });
        assert.ok(got.equals(bytes.subarray(from, to)));
        assert.ok(got.equals(await readChecked(store, id, { from, to })));
      }),
      { numRuns: 60 },
    );
  });

  test(`${adapter}: readers side by side, more than there are buffers, do not mix`, async () => {
    await using store = await open();
    const bytes = sampleBytes(3 * MEBIBYTE);
    const id = await storeBlob(store, bytes);

    await Promise.all(
      Array.from({ length: 50 }, async (_, from) => {
        const got = await readBlob(store, id, { from, to: bytes.length });
        assert.ok(got.equals(bytes.subarray(from)));
      }),
    );
  });

  for (const way of ["read", "readChecked"] as const) {
    test(`${adapter}: a chunk of ${way} is valid until the next but one is asked for`, async () => {
      await using store = await open();
      const bytes = sampleBytes(6 * MEBIBYTE);
      const id = await storeBlob(store, bytes);
      let at = 0;
      let last: readonly [at: number, chunk: Uint8Array] = [0, new Uint8Array()];
      const assertValid = ([offset, chunk]: typeof last) => {
        assert.ok(bytes.subarray(offset, offset + chunk.length).equals(chunk));
      };

      for await (const chunk of store[way](id, { from: 0, to: bytes.length })) {
        await readBlob(store, id, { from: 1, to: bytes.length }); // Others use the buffers too.
        assertValid(last);
        last = [at, chunk];
        assertValid(last);
        at += chunk.length;
      }

      await readBlob(store, id, { from: 1, to: bytes.length });
      assertValid(last);
    });
  }

  test(`${adapter}: a chunk that its reader changes does not change the blob`, async () => {
    await using store = await open();
    const bytes = sampleBytes(100);
    const id = await storeBlob(store, bytes);

    for await (const chunk of store.read(id, { from: 0, to: 100 })) chunk.fill(0);

    assert.ok(bytes.equals(await readBlob(store, id, { from: 0, to: 100 })));
  });

  test(`${adapter}: a missing blob is corrupt`, async () => {
    await using store = await open();

    await assert.rejects(readBlob(store, NO_BLOB, { from: 0, to: 1 }), { kind: "corrupt" });
    await assert.rejects(readBlob(store, NO_BLOB, { from: 0, to: 0 }), { kind: "corrupt" });
    await assert.rejects(readChecked(store, NO_BLOB, { from: 0, to: 1 }), { kind: "corrupt" });
    assert.equal(await store.size(NO_BLOB), undefined);
  });

  for (const sizeBytes of [0, 99, 2 * MEBIBYTE]) {
    test(`${adapter}: a blob of ${sizeBytes} bytes that should be longer is corrupt`, async () => {
      await using store = await open();
      const id = await storeBlob(store, sampleBytes(sizeBytes));

      const range = { from: 0, to: sizeBytes + 1 };
      for (const reading of [readBlob, readChecked]) {
        await assert.rejects(reading(store, id, range), { name: "StorageError", kind: "corrupt" });
      }
    });
  }

  test(`${adapter}: a reader that stops early leaves the store usable`, async () => {
    await using store = await open();
    const bytes = sampleBytes(5 * MEBIBYTE);
    const id = await storeBlob(store, bytes);

    for (let i = 0; i < 100; i += 1) {
      for await (const _ of store.read(id, { from: 0, to: bytes.length })) break;
    }

    assert.ok(bytes.equals(await readBlob(store, id, { from: 0, to: bytes.length })));
  });
}

function removing(adapter: string, open: () => Promise<BlobStore>): void {
  test(`${adapter}: an open reader keeps its bytes when the blob is removed`, async () => {
    await using store = await open();
    const bytes = sampleBytes(4 * MEBIBYTE);
    const id = await storeBlob(store, bytes);
    const got: Buffer[] = [];

    for await (const chunk of store.read(id, { from: 0, to: bytes.length })) {
      if (got.length === 0) await store.remove(id);
      got.push(Buffer.from(chunk));
    }

    assert.ok(bytes.equals(Buffer.concat(got)));
    assert.equal(await store.size(id), undefined);
    await assert.rejects(readBlob(store, id, { from: 0, to: 1 }), { kind: "corrupt" });
  });

  test(`${adapter}: removing a blob that is not there is no error`, async () => {
    await using store = await open();

    await store.remove(NO_BLOB);
  });

  test(`${adapter}: lists what was finished and not removed, with its size`, async () => {
    await using store = await open();
    const sizes = [0, 10, 100_000];
    const ids: BlobId[] = [];
    for (const sizeBytes of sizes) ids.push(await storeBlob(store, sampleBytes(sizeBytes)));
    const gone = await storeBlob(store, sampleBytes(5));
    await store.remove(gone);

    const found = await listed(store);

    const expected = ids.map((id, i) => [id, sizes[i]]);
    assert.deepEqual(found, expected.sort());
  });

  test(`${adapter}: a blob's age starts when it is finished`, async () => {
    await using store = await open();
    await storeBlob(store, sampleBytes(10));

    for await (const { ageMs } of store.list()) assert.ok(ageMs >= 0 && ageMs < 60_000);
  });
}

async function listed(store: BlobStore): Promise<(readonly [BlobId, number])[]> {
  const all: (readonly [BlobId, number])[] = [];
  for await (const { id, sizeBytes } of store.list()) all.push([id, sizeBytes]);
  return all.sort();
}
