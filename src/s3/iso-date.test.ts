import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isoDate } from "#s3/iso-date.ts";

test("a date is written as toISOString writes it, at the bounds of days, minutes and years too", () => {
  const dayMs = 86_400_000;
  const bounds = [0, dayMs, 951_782_400_000, Date.UTC(2024, 1, 29), 253_402_300_800_000];
  for (const bound of bounds) {
    for (const ms of [
      bound - 60_000,
      bound - 1,
      bound,
      bound + 1,
      bound + 59_999,
      bound + 60_000,
    ]) {
      assert.equal(isoDate(ms), new Date(ms).toISOString());
    }
  }
  fc.assert(
    fc.property(fc.double({ min: -1e13, max: 3e14, noNaN: true }), (ms) =>
      assert.equal(isoDate(ms), new Date(ms).toISOString()),
    ),
  );
});
