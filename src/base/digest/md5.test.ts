/** Many MD5s at the same time are those of node:crypto, however their bytes come. */
import assert from "node:assert/strict";
import { createHash, hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Md5 } from "#base/digest/md5.ts";

/** Around a block, two, and what a lane holds at once. */
const LENGTHS = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 16_383, 16_384, 16_385, 70_001];

test("the MD5 of a string of any length is the one of RFC 1321", async () => {
  for (const length of LENGTHS) {
    const bytes = pattern(length, length);
    assert.equal(await md5InPieces([bytes]), hash("md5", bytes, "hex"), `${length} bytes`);
  }
});

test("sums that grow side by side, in pieces of any length, each give what one alone would", async () => {
  const piece = fc.oneof(fc.nat(200), fc.nat(40_000));
  const one = fc.record({ seed: fc.nat(255), pieces: fc.array(piece, { maxLength: 6 }) });
  const several = fc.array(one, { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(several, async (strings) => {
      const all = strings.map(({ seed, pieces }) => pieces.map((length) => pattern(length, seed)));
      const sums = await Promise.all(all.map(md5InPieces));
      const wanted = all.map((pieces) => hash("md5", Buffer.concat(pieces), "hex"));
      assert.deepEqual(sums, wanted);
    }),
    { numRuns: 60 },
  );
});

test("of thousands of sums at once, most with one short chunk, each is its own", async () => {
  const lengths = Array.from({ length: 5_000 }, (_, index) => (index % 700 === 0 ? 90_000 : 64));
  const strings = lengths.map((length, index) => pattern(length + (index % 3), index));
  const sums = await Promise.all(strings.map((bytes) => md5InPieces([bytes])));

  assert.deepEqual(
    sums,
    strings.map((bytes) => hash("md5", bytes, "hex")),
  );
});

test("a length that takes more than 32 bits is counted in full", async () => {
  const chunk = Buffer.alloc(4 * 2 ** 20, 7);
  const wanted = createHash("md5");
  const sum = new Md5();
  for (let bytes = 0; bytes <= 2 ** 29; bytes += chunk.length) {
    wanted.update(chunk);
    await sum.update(chunk);
  }

  assert.equal(sum.digest().toString("hex"), wanted.digest("hex"));
});

test("more than one turn of the event loop may take is computed in several", async () => {
  const strings = Array.from({ length: 40 }, (_, seed) => pattern(300_000, seed));
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const sums = await Promise.all(strings.map((bytes) => md5InPieces([bytes])));
  clearImmediate(counting);

  assert.deepEqual(
    sums,
    strings.map((bytes) => hash("md5", bytes, "hex")),
  );
  assert.ok(turns >= 2, `${turns} turns`);
});

test("a chunk may be changed once it has been taken", async () => {
  const chunk = pattern(100_000, 1);
  const wanted = hash("md5", Buffer.concat([chunk, chunk]), "hex");
  const sum = new Md5();
  for (let time = 0; time < 2; time += 1) {
    const copy = Buffer.from(chunk);
    await sum.update(copy);
    copy.fill(0);
  }

  assert.equal(sum.digest().toString("hex"), wanted);
});

test("a sum refuses a chunk before it has taken the last, and after its digest", async () => {
  const sum = new Md5();
  const first = sum.update(pattern(20_000, 1));
  await assert.rejects(sum.update(pattern(1_000, 2)), { name: "Bug" });
  assert.throws(() => sum.digest(), { name: "Bug" });
  await first;
  sum.digest();

  await assert.rejects(sum.update(pattern(1_000, 2)), { name: "Bug" });
  assert.throws(() => sum.digest(), { name: "Bug" });
});

async function md5InPieces(pieces: readonly Uint8Array[]): Promise<string> {
  const sum = new Md5();
  for (const piece of pieces) await sum.update(piece);
  return sum.digest().toString("hex");
}

function pattern(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (at * 31 + seed * 7 + (at >> 8)) % 256));
}
