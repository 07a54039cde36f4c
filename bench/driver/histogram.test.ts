import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";

test("percentiles are within one percent of the recorded values", () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 100_000; us += 1) histogram.record(us);
  for (const share of [0.001, 0.5, 0.99, 1]) {
    const expected = share * 100_000;
    assert.ok(Math.abs(histogram.percentile(share) - expected) <= expected * 0.01);
  }
});

test("histograms of several drivers add up", () => {
  const [slow, fast, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (let count = 0; count < 10; count += 1) {
    slow.record(5_000_000);
    fast.record(50);
  }
  both.add(slow.data());
  both.add(fast.data());
  assert.equal(both.percentile(0.5), 50);
  assert.ok(Math.abs(both.percentile(0.99) / 5_000_000 - 1) < 0.01);
});

test("values beyond the range count in the last bucket", () => {
  const histogram = new Histogram();
  histogram.record(Number.MAX_SAFE_INTEGER);
  assert.ok(histogram.percentile(1) > 3600e6);
});
