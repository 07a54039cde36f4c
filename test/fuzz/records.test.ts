/** Stored records: read as they were written, and when they are damaged, not at all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StorageError } from "#base/error.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobId, ByteRange } from "#blob/store.ts";
import { packCounter, unpackCounter } from "#meta/counter.ts";
import { damaged, nastyText } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";
import { readExtents } from "#versioned/content.ts";
import { HEAD_STAMP_AT, type Head, packHead, unpackHead } from "#versioned/head.ts";
import { openClosedKey, uploadKey, versionKey } from "#versioned/keys.ts";
import {
  type Manifest,
  packJson,
  packVersion,
  unpackJson,
  unpackVersion,
  type VersionRecord,
} from "#versioned/record.ts";

const text = nastyText.map((each) => each.toWellFormed());
const hex = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((each) => {
  return Buffer.from(each).toString("hex");
});
const extent = fc.record(
  { blob: hex, offset: fc.nat(), sizeBytes: fc.nat(), crc32: fc.nat() },
  { requiredKeys: ["blob", "offset", "sizeBytes"], noNullPrototype: true },
);
const attributes = fc.record(
  {
    headers: fc.dictionary(fc.constantFrom("content-type", "expires"), text, {
      noNullPrototype: true,
    }),
    userMetadata: fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }),
    tags: fc.array(fc.tuple(text, text), { maxLength: 3 }),
    storageClass: fc.constantFrom("STANDARD" as const, "STANDARD_IA" as const),
  },
  { noNullPrototype: true },
);
const record: fc.Arbitrary<VersionRecord> = fc.record(
  {
    ...{ deleteMarker: fc.boolean(), isNull: fc.boolean(), sizeBytes: fc.nat(), md5: hex },
    ...{ partsCount: fc.nat(10_000), modifiedMs: fc.nat(), attributes },
    checksum: fc.constantFrom(undefined, {
      ...{ algorithm: "CRC32", type: "FULL_OBJECT", value: "AAAAAA==" },
    } as const),
    encryption: fc.constantFrom(undefined, { kind: "SSE-S3", keyId: "1", key: "k" } as const),
    content: fc.oneof(
      fc.constant({ kind: "inline" } as const),
      fc.constant({ kind: "inline", seal: { key: "k", sizeBytes: 1 } } as const),
      fc.record({ kind: fc.constant("extents" as const), id: hex, extents: fc.array(extent) }),
      fc.record({ kind: fc.constant("manifest" as const), id: hex }),
    ),
  },
  { noNullPrototype: true },
);
const inline = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const manifest = fc.array(extent, { maxLength: 4 }).map((extents): Manifest => {
  const part = { number: 1, sizeBytes: 1, md5: "00", modifiedMs: 1, checksums: {}, extents };
  return { parts: [part] };
});

test("a version is read as it was written, and damaged it is corrupt", () => {
  const stored = fc
    .tuple(record, inline)
    .chain(([each, bytes]) =>
      fc.tuple(fc.constant(each), fc.constant(bytes), damaged(whole(packVersion(each, bytes)))),
    );
  fc.assert(
    fc.property(stored, ([each, bytes, hurt]) => {
      const packed = whole(packVersion(each, bytes));
      const read = unpackVersion(packed);
      assert.deepEqual(read.record, structuredClone(each));
      assert.ok(bytes.equals(read.inline));

      if (!hurt.equals(packed)) requireCorrupt(() => unpackVersion(hurt));
    }),
    runs({ short: 500, long: 200_000 }),
  );
});

test("a JSON record is read as it was written, and damaged it is corrupt", () => {
  const stored = manifest.chain((each) => fc.tuple(fc.constant(each), damaged(packJson(each))));
  fc.assert(
    fc.property(stored, ([each, hurt]) => {
      const packed = packJson(each);
      assert.deepEqual(unpackJson<Manifest>(packed), structuredClone(each));

      if (!hurt.equals(packed)) requireCorrupt(() => unpackJson<Manifest>(hurt));
    }),
    runs({ short: 300, long: 100_000 }),
  );
});

/** Zero in heads of format 1. */
const CHECK_AT = 5;

test("a head is read as it was written, and with any byte changed it is corrupt", () => {
  const head: fc.Arbitrary<Head> = fc.record({
    ...{ deleteMarker: fc.boolean(), isNull: fc.boolean(), inline: fc.boolean() },
    ...{ sequence: fc.integer({ min: 1 }), sizeBytes: fc.nat(), md5: hex, modifiedMs: fc.nat() },
    nullSequence: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
    partsCount: fc.nat(10_000),
    storageClass: fc.constantFrom("STANDARD" as const, "STANDARD_IA" as const),
    checksumAlgorithm: fc.constantFrom(undefined, "CRC64NVME" as const, "SHA256" as const),
    checksumType: fc.constantFrom(undefined, "COMPOSITE" as const),
  });
  fc.assert(
    fc.property(head, fc.nat(55), fc.integer({ min: 1, max: 255 }), (each, at, flip) => {
      const packed = packHead(each);
      assert.deepEqual(unpackHead(packed), structuredClone(each));

      requireCorrupt(() => unpackHead(packed.subarray(0, at)));
      // The stamp is laid over it by the commit.
      if (at >= HEAD_STAMP_AT && at < HEAD_STAMP_AT + 8) return;
      packed[at] = (packed[at] ?? 0) ^ flip;
      // As format 1 it may say the same.
      if (packed[0] === 1 && packed[CHECK_AT] === 0)
        assert.deepEqual(unpackHead(packed), structuredClone(each));
      else requireCorrupt(() => unpackHead(packed));
    }),
    runs({ short: 1_000, long: 200_000 }),
  );
});

test("bytes of a blob that is damaged never make a whole answer", async () => {
  const stored = fc
    .uint8Array({ minLength: 1, maxLength: 60_000, size: "max" })
    .map((bytes) => Buffer.from(bytes))
    .chain((bytes) => fc.tuple(fc.constant(bytes), damaged(bytes)));
  await fc.assert(
    fc.asyncProperty(stored, async ([bytes, hurt]) => {
      const { crc32 } = await import("node:zlib");
      const sizeBytes = bytes.length;
      const extents = [{ blob: "00".repeat(16), offset: 0, sizeBytes, crc32: crc32(bytes) }];
      const read = async (content: Buffer) => {
        const blobs = new OneBlob(content);
        const chunks = readExtents(blobs, extents, { from: 0, to: sizeBytes, lock: undefined });
        return Buffer.concat((await Array.fromAsync(chunks)).map((chunk) => Buffer.from(chunk)));
      };
      assert.ok(bytes.equals(await read(bytes)));

      // What was only added behind its end is not read.
      if (!hurt.subarray(0, sizeBytes).equals(bytes)) {
        await assert.rejects(read(hurt), isCorrupt);
      }
    }),
    runs({ short: 15, long: 5_000 }),
  );
});

test("keys give back what they were made of, and sort as their fields do", () => {
  const key = text.filter((each) => each !== "" && Buffer.byteLength(each) < 500);
  const id = "0123456789abcdef";
  fc.assert(
    fc.property(key, key, hex, (one, other, upload) => {
      assert.equal(openClosedKey(versionKey(id, one, 7)).key, one);
      const opened = openClosedKey(uploadKey(id, one, upload));
      assert.deepEqual([opened.key, opened.rest.toString("hex")], [one, upload]);

      const stored = Buffer.compare(versionKey(id, one, 1), versionKey(id, other, 1));
      assert.equal(stored, Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
    runs({ short: 500, long: 100_000 }),
  );
});

test("counters are read as they were written", () => {
  const amounts = fc.array(fc.maxSafeInteger(), { maxLength: 8 });
  fc.assert(
    fc.property(amounts, (each) => {
      assert.deepEqual(unpackCounter(packCounter(each)), each);
    }),
    runs({ short: 200, long: 20_000 }),
  );
});

class OneBlob extends MemoryBlobStore {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  override async *read(id: BlobId, { from, to }: ByteRange) {
    if (to > this.#bytes.length) throw new StorageError("corrupt", `blob ${id} ends too soon`);
    yield Buffer.from(this.#bytes.subarray(from, to));
  }
}

function requireCorrupt(read: () => unknown): void {
  assert.throws(read, isCorrupt);
}

function isCorrupt(cause: unknown): boolean {
  return cause instanceof StorageError && cause.kind === "corrupt";
}

/** As it stands in the store. */
function whole({ value, tail }: ReturnType<typeof packVersion>): Buffer {
  return Buffer.concat([value, tail]);
}
