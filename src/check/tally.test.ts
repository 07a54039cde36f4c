import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lotOf, Tally } from "#check/tally.ts";

const items = fc.uniqueArray(fc.string({ maxLength: 64 }), { maxLength: 60 });

test("the same items in any order differ nowhere", () => {
  fc.assert(
    fc.property(items, (those) => {
      const tally = new Tally();
      for (const item of those) tally.add("there", item);
      for (const item of those.toReversed()) tally.add("due", item);
      assert.deepEqual([...tally.differing(10)], []);
    }),
    { numRuns: 50 },
  );
});

test("items of one side alone are in the lots that differ", () => {
  fc.assert(
    fc.property(items, items, (those, others) => {
      const tally = new Tally();
      for (const item of those) tally.add("there", item);
      for (const item of others) tally.add("due", item);
      const lots = new Set([...tally.differing(10)].flatMap((group) => [...group]));
      for (const item of [...those, ...others]) {
        if (those.includes(item) !== others.includes(item)) assert.ok(lots.has(lotOf(item)), item);
      }
    }),
    { numRuns: 50 },
  );
});

test("lots come in groups of no more items than are asked for", () => {
  const tally = new Tally();
  for (let at = 0; at < 1_000; at += 1) tally.add("there", `item ${at}`);
  const groups = [...tally.differing(100)];
  assert.ok(groups.length >= 10);
  assert.equal(
    new Set(groups.flatMap((group) => [...group])).size,
    groups.flatMap((g) => [...g]).length,
  );
});
