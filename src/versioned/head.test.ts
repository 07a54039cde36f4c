import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { etagOf, type Head, packHead, unpackHead } from "#versioned/head.ts";

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const head: fc.Arbitrary<Head> = fc.record(
  {
    sequence: fc.integer({ min: 1, max: 2 ** 50 }),
    deleteMarker: fc.boolean(),
    isNull: fc.boolean(),
    nullSequence: optional(fc.integer({ min: 1, max: 2 ** 50 })),
    inline: fc.boolean(),
    sizeBytes: fc.maxSafeNat(),
    md5: fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from(bytes).toString("hex")),
    partsCount: fc.nat(10_000),
    modifiedMs: fc.nat(4_102_444_800_000),
    storageClass: fc.constantFrom("STANDARD" as const, "STANDARD_IA" as const),
    checksumAlgorithm: optional(
      fc.constantFrom(...(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)),
    ),
    checksumType: optional(fc.constantFrom("FULL_OBJECT" as const, "COMPOSITE" as const)),
  },
  { noNullPrototype: true },
);

test("a head is read as it was written", () => {
  fc.assert(fc.property(head, (head) => assert.deepEqual(unpackHead(packHead(head)), head)));
});

test("an ETag tells how many parts an object was uploaded in, and nothing when it was put whole", () => {
  assert.equal(etagOf({ md5: "ab", partsCount: 0 }), "ab");
  assert.equal(etagOf({ md5: "ab", partsCount: 1 }), "ab-1");
});
