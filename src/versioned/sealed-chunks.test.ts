import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { StorageError } from "#base/error.ts";
import {
  type ContentKey,
  newContentKey,
  openRange,
  openWhole,
  Sealer,
  sealWhole,
} from "#versioned/sealed-chunks.ts";

const CHUNK = 65_536;
const TAG = 16;
const SEALED = CHUNK + TAG;

/** Around every border of the first chunks. */
const SIZES = [0, 1, TAG - 1, TAG, TAG + 1, ...around(CHUNK), ...around(2 * CHUNK)];

function around(size: number): number[] {
  return [size - TAG - 1, size - TAG, size - 1, size, size + 1, size + TAG, size + TAG + 1];
}

/** Bytes that repeat nowhere near, so that none can stand for another. */
function clear(sizeBytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(sizeBytes / 64) }, (_, index) =>
    createHash("sha512").update(String(index)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, sizeBytes);
}

const THREE = clear(3 * CHUNK + 1_000);
const KEY_OF_THREE = newContentKey(THREE.length);
const SEALED_THREE = sealWhole(THREE, KEY_OF_THREE);

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Buffer.from(chunk));
  return Buffer.concat(all);
}

/** A store's read, in pieces of these sizes in turn; the buffer of each is scribbled over by the next. */
function reading(sealed: Buffer, pieces: readonly number[] = [SEALED]) {
  return async function* read({ from, to }: { from: number; to: number }) {
    const asked = sealed.subarray(from, to);
    const ring = Buffer.alloc(Math.max(...pieces));
    for (let at = 0, turn = 0; at < asked.length; turn += 1) {
      const piece = asked.subarray(at, at + (pieces[turn % pieces.length] ?? 1));
      ring.fill(0xff);
      ring.set(piece);
      yield ring.subarray(0, piece.length);
      at += piece.length;
    }
  };
}

function isCorrupt(cause: unknown): boolean {
  return cause instanceof StorageError && cause.kind === "corrupt";
}

for (const sizeBytes of SIZES) {
  test(`a content of ${sizeBytes} bytes comes back whole, 16 bytes a chunk longer at rest`, async () => {
    const bytes = clear(sizeBytes);
    const key = newContentKey(sizeBytes);

    const sealed = sealWhole(bytes, key);

    assert.equal(sealed.length, sizeBytes + TAG * Math.ceil(sizeBytes / CHUNK));
    assert.ok(openWhole(sealed, key).equals(bytes));
    const read = await collect(openRange(reading(sealed), key, { from: 0, to: sizeBytes }));
    assert.ok(read.equals(bytes));
  });
}

test("any range of a content, read in any pieces, is those bytes", async () => {
  const size = THREE.length;
  const near = fc.constantFrom(
    0,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    3 * CHUNK,
    size - 1,
    size,
  );
  const place = fc.oneof(fc.nat({ max: size }), near);
  const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 2 * SEALED }), fc.constant(SEALED)), {
    minLength: 1,
    maxLength: 4,
  });
  // Single bytes of 200 KB would take long.
  const large = pieces.filter((sizes) => Math.max(...sizes) > 1_000);
  await fc.assert(
    fc.asyncProperty(place, place, large, async (one, other, sizes) => {
      const range = { from: Math.min(one, other), to: Math.max(one, other) };

      const read = await collect(openRange(reading(SEALED_THREE, sizes), KEY_OF_THREE, range));

      assert.ok(read.equals(THREE.subarray(range.from, range.to)));
    }),
    { numRuns: 300 },
  );
});

test("a range reads no more than the chunks it touches, once", async () => {
  const asked: { from: number; to: number }[] = [];
  const read = (range: { from: number; to: number }) => {
    asked.push(range);
    return reading(SEALED_THREE)(range);
  };

  await collect(openRange(read, KEY_OF_THREE, { from: CHUNK + 5, to: 2 * CHUNK + 1 }));
  await collect(openRange(read, KEY_OF_THREE, { from: 3 * CHUNK, to: THREE.length }));

  assert.deepEqual(asked, [
    { from: SEALED, to: 3 * SEALED },
    { from: 3 * SEALED, to: SEALED_THREE.length },
  ]);
});

test("a content that comes in any pieces is sealed the same", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 2 * CHUNK }), { minLength: 1, maxLength: 5 });
  const large = sizes.filter((all) => all.reduce((sum, size) => sum + size, 0) > 5_000);
  fc.assert(
    fc.property(large, (pieces) => {
      const sealer = new Sealer(KEY_OF_THREE);
      const sealed: Buffer[] = [];
      for (let at = 0, turn = 0; at < THREE.length; turn += 1) {
        const bytes = Buffer.from(THREE.subarray(at, at + (pieces[turn % pieces.length] ?? 1)));
        sealed.push(...sealer.update(bytes));
        at += bytes.length;
        bytes.fill(0);
      }
      sealed.push(...sealer.finish());

      assert.ok(Buffer.concat(sealed).equals(SEALED_THREE));
    }),
  );
});

test("a content of another size than was announced is a bug of ours, not a short content", () => {
  for (const announced of [2, 4]) {
    const sealer = new Sealer(newContentKey(announced));
    Array.from(sealer.update(Buffer.alloc(3)));
    assert.throws(() => Array.from(sealer.finish()), /the size that was announced/);
  }
});

test("equal chunks and equal contents look different at rest", () => {
  const zeros = Buffer.alloc(2 * CHUNK);

  const [one, two] = [0, 1].map(() => sealWhole(zeros, newContentKey(zeros.length)));

  const chunks = [one, two].flatMap((sealed) => [
    sealed?.subarray(0, CHUNK),
    sealed?.subarray(SEALED, SEALED + CHUNK),
  ]);
  assert.equal(new Set(chunks.map((chunk) => chunk?.toString("hex", 0, 64))).size, 4);
});

/** What may have become of the sealed bytes, and which bytes are still good. */
const DAMAGES: Readonly<Record<string, (sealed: Buffer) => Buffer>> = {
  "cut by a byte": (sealed) => sealed.subarray(0, -1),
  "cut by its last chunk": (sealed) => sealed.subarray(0, 3 * SEALED),
  "cut to its first chunk": (sealed) => sealed.subarray(0, SEALED),
  "cut to nothing": () => Buffer.alloc(0),
  "cut at its beginning": (sealed) => sealed.subarray(SEALED),
  "longer by a byte": (sealed) => Buffer.concat([sealed, Buffer.of(0)]),
  "longer by a chunk of its own": (sealed) =>
    Buffer.concat([sealed.subarray(0, SEALED), sealed.subarray(0, SEALED), sealed]),
  "with two chunks swapped": (sealed) =>
    Buffer.concat([
      sealed.subarray(SEALED, 2 * SEALED),
      sealed.subarray(0, SEALED),
      sealed.subarray(2 * SEALED),
    ]),
  "with one chunk in the place of another": (sealed) =>
    Buffer.concat([
      sealed.subarray(0, SEALED),
      sealed.subarray(0, SEALED),
      sealed.subarray(2 * SEALED),
    ]),
  "with a chunk of another content of the same size": (sealed) =>
    Buffer.concat([
      sealed.subarray(0, SEALED),
      sealWhole(THREE, newContentKey(THREE.length)).subarray(SEALED, 2 * SEALED),
      sealed.subarray(2 * SEALED),
    ]),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`a content ${what} is corrupt, and no wrong byte is read`, async () => {
    const damaged = damage(SEALED_THREE);

    assert.throws(() => openWhole(damaged, KEY_OF_THREE), isCorrupt);
    const read: Uint8Array[] = [];
    const all = { from: 0, to: THREE.length };
    const failed = await (async () => {
      for await (const chunk of openRange(reading(damaged), KEY_OF_THREE, all)) read.push(chunk);
    })().then(
      () => undefined,
      (cause: unknown) => cause,
    );

    const bytes = Buffer.concat(read);
    assert.ok(bytes.equals(THREE.subarray(0, bytes.length)));
    // More bytes behind the end are never read, since a range says how many it wants.
    if (damaged.length > SEALED_THREE.length && bytes.equals(THREE)) return;
    assert.ok(isCorrupt(failed), String(failed));
  });
}

test("a flipped bit anywhere is corrupt, whole and in a range over it, and leaves other chunks", async () => {
  const bits = fc.nat({ max: SEALED_THREE.length * 8 - 1 });
  await fc.assert(
    fc.asyncProperty(bits, async (bit) => {
      const flipped = Buffer.from(SEALED_THREE);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const hit = Math.floor((bit >> 3) / SEALED);

      assert.throws(() => openWhole(flipped, KEY_OF_THREE), isCorrupt);
      for (let chunk = 0; chunk < 4; chunk += 1) {
        const range = { from: chunk * CHUNK, to: Math.min((chunk + 1) * CHUNK, THREE.length) };
        const read = collect(openRange(reading(flipped), KEY_OF_THREE, range));
        if (chunk === hit) await assert.rejects(read, isCorrupt);
        else assert.ok((await read).equals(THREE.subarray(range.from, range.to)));
      }
    }),
    { numRuns: 60 },
  );
});

test("every bit of a small content counts", () => {
  const bytes = clear(5);
  const key = newContentKey(5);
  const sealed = sealWhole(bytes, key);

  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Buffer.from(sealed);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => openWhole(flipped, key), isCorrupt, `bit ${bit}`);
  }
});

const WRONG: Readonly<Record<string, ContentKey>> = {
  "another key": newContentKey(THREE.length),
  "a size that is a byte less": { ...KEY_OF_THREE, sizeBytes: THREE.length - 1 },
  "a size that is a byte more": { ...KEY_OF_THREE, sizeBytes: THREE.length + 1 },
  "the size of its first chunk": { ...KEY_OF_THREE, sizeBytes: CHUNK },
  "the size of nothing": { ...KEY_OF_THREE, sizeBytes: 0 },
};

for (const [what, key] of Object.entries(WRONG)) {
  test(`a content does not open with ${what}`, async () => {
    assert.throws(() => openWhole(SEALED_THREE, key), isCorrupt);
    const first = openRange(reading(SEALED_THREE), key, { from: 0, to: 1 });
    await assert.rejects(collect(first), isCorrupt);
  });
}
