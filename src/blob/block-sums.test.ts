import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32Of } from "#base/checksum.ts";
import { BLOCK_BYTES, BlockSums, blobBytesOf, fileBytesOf } from "#blob/block-sums.ts";
import { sampleBytes } from "#test/contract/blob-store.ts";

test("sums are those of the blocks and of the whole, however the bytes are cut into chunks", () => {
  const sizes = fc.oneof(fc.nat(3), fc.nat(200_000), fc.constantFrom(BLOCK_BYTES, 2 * BLOCK_BYTES));
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 8 }), (given) => {
      const running = new BlockSums();
      const chunks = given.map((sizeBytes, index) => sampleBytes(sizeBytes, index + 1));
      for (const chunk of chunks) running.update(chunk);

      const { sums, crc32 } = running.finish();

      const whole = Buffer.concat(chunks);
      assert.equal(crc32, crc32Of(whole));
      const blocks = Array.from({ length: Math.ceil(whole.length / BLOCK_BYTES) }, (_, index) =>
        whole.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
      );
      const all = Buffer.concat(sums);
      assert.deepEqual(
        Array.from({ length: all.length / 4 }, (_, index) => all.readUInt32BE(index * 4)),
        blocks.map((block) => crc32Of(block)),
      );
    }),
    { numRuns: 300 },
  );
});

test("a blob of more blocks than a piece of sums takes keeps each", () => {
  const running = new BlockSums();
  const block = sampleBytes(BLOCK_BYTES);
  for (let count = 0; count < 2_500; count += 1) running.update(block);

  const all = Buffer.concat(running.finish().sums);

  assert.equal(all.length, 2_500 * 4);
  for (let at = 0; at < all.length; at += 4) assert.equal(all.readUInt32BE(at), crc32Of(block));
});

test("the size of a blob follows from that of its file", () => {
  const around = (blocks: number) => [-1, 0, 1].map((off) => blocks * BLOCK_BYTES + off);
  for (const sizeBytes of [0, 1, 5, ...around(1), ...around(2), ...around(80_000)]) {
    assert.equal(blobBytesOf(fileBytesOf(sizeBytes)), sizeBytes);
  }
});

test("a file that was cut has no more of its blob than is left", () => {
  const whole = fileBytesOf(3 * BLOCK_BYTES);
  for (const cut of [1, 3, 4, 5, 12, 13, BLOCK_BYTES, 2 * BLOCK_BYTES + 7]) {
    assert.ok(blobBytesOf(whole - cut) <= Math.min(whole - cut, 3 * BLOCK_BYTES));
    assert.ok(blobBytesOf(whole - cut) < 3 * BLOCK_BYTES);
  }
});
