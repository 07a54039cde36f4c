/** CRC64NVME is that of another implementation, however the bytes come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCRC64 } from "hash-wasm";
import { Crc64 } from "#base/digest/crc64.ts";

const other = await createCRC64("9a6c9329ac4bc9b5");

test("the CRC64NVME of a string of any length is what another implementation says", () => {
  for (let length = 0; length < 300; length += 1) {
    const bytes = pattern(length);
    assert.equal(crc64InPieces([bytes]), other.init().update(bytes).digest("hex"), `${length}`);
  }
});

test("it is the same in pieces, also in longer ones than are taken at once", () => {
  const piece = fc.oneof(fc.nat(100), fc.nat(200_000)).map(pattern);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
      const wanted = other.init().update(Buffer.concat(pieces)).digest("hex");
      assert.equal(crc64InPieces(pieces), wanted);
    }),
    { numRuns: 60 },
  );
});

function crc64InPieces(pieces: readonly Uint8Array[]): string {
  const sum = new Crc64();
  for (const piece of pieces) sum.update(piece);
  return sum.digest().toString("hex");
}

function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (at * 31 + length * 7 + (at >> 8)) % 256));
}
