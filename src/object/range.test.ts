import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRange } from "#object/range.ts";

test("readRange gives every first and last byte as a half-open slice within the object", () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(60), fc.nat(60), (sizeBytes, first, length) => {
      const slice = readRange(`bytes=${first}-${first + length}`, sizeBytes);

      const expected = { from: first, to: Math.min(sizeBytes, first + length + 1) };
      assert.deepEqual(slice, first < sizeBytes ? expected : "unsatisfiable");
    }),
  );
});

test("readRange takes a last byte of any number of digits as the end", () => {
  const slice = readRange("bytes=18-99999999999999999999", 20);

  assert.deepEqual(slice, { from: 18, to: 20 });
});

test("readRange finds a first byte of any number of digits unsatisfiable", () => {
  assert.equal(readRange("bytes=99999999999999999999-", 20), "unsatisfiable");
});

test("readRange gives a suffix as the end of the object, the whole when it is longer", () => {
  assert.deepEqual(readRange("bytes=-5", 20), { from: 15, to: 20 });
  assert.deepEqual(readRange("bytes=-50", 20), { from: 0, to: 20 });
  assert.equal(readRange("bytes=-0", 20), "unsatisfiable");
  assert.equal(readRange("bytes=-5", 0), undefined);
});

for (const header of [
  "bytes=1-0",
  "bytes=-",
  "bytes=",
  "bytes=a-",
  "chars=0-1",
  "bytes=0-1,2-3",
  "",
]) {
  test(`readRange ignores "${header}"`, () => {
    assert.equal(readRange(header, 20), undefined);
  });
}
