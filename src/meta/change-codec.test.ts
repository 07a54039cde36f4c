import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changeBytes, readChange, writeChange } from "#meta/change-codec.ts";
import type { Change } from "#meta/store.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));
const key = bytes(2_000);
const offset = fc.nat(2 ** 31);
const guard = fc.record({ key, revision: fc.maxSafeNat() });
const write = fc.record(
  {
    key,
    value: fc.option(bytes(300), { nil: undefined }),
    tail: fc.option(bytes(300), { nil: undefined }),
    stampKeyAt: offset,
    stampValueAt: offset,
  },
  { requiredKeys: ["key", "value", "tail"] },
);
const bound = fc.record({ indexes: fc.array(fc.nat(255)), max: fc.maxSafeInteger() });
const add = fc.record({
  key,
  amounts: fc.array(fc.maxSafeInteger()),
  bounds: fc.option(fc.array(bound, { maxLength: 5 }), { nil: undefined }),
});
const change = fc.record({
  guards: fc.array(guard),
  writes: fc.array(write),
  adds: fc.array(add),
});

test("a change is the same after its way through bytes, and takes as many as it says", () => {
  fc.assert(
    fc.property(change, fc.nat(20), (given, at) => {
      const text = Buffer.alloc(at + changeBytes(given) + 9);

      assert.equal(writeChange(text, at, given), at + changeBytes(given));

      assert.deepEqual(plain(readChange(text, at)), plain(given));
    }),
  );
});

test("a change that was cut is refused", () => {
  fc.assert(
    fc.property(change, fc.nat(), (given, rest) => {
      const text = Buffer.alloc(changeBytes(given));
      writeChange(text, 0, given);

      assert.throws(() => readChange(text.subarray(0, rest % text.length), 0), RangeError);
    }),
  );
});

/** What a store sees of it: value and tail are one, and what is undefined is not there. */
function plain({ guards, writes, adds = [] }: Change): unknown {
  const written = writes.map(({ key, value, tail, stampKeyAt, stampValueAt }) => [
    ...[key, value && Buffer.concat([value, tail ?? Buffer.alloc(0)])],
    ...[stampKeyAt, stampValueAt],
  ]);
  const added = adds.map(({ key, amounts, bounds }) => [
    ...[key, amounts],
    bounds?.map(({ indexes, max }) => [indexes, max]),
  ]);
  return [guards.map(({ key, revision }) => [key, revision]), written, added];
}
