import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#config.ts";

test("the scrub is on unless it is turned off, by 0 or by name", () => {
  const of = (...args: readonly string[]) => readConfig(args, {}).scrubIntervalDays;

  assert.equal(of(), 30);
  assert.equal(of("--scrub-interval", "7"), 7);
  assert.equal(of("--scrub-interval", "0"), 0);
  assert.equal(of("--scrub-interval", "off"), 0);
  assert.equal(readConfig([], { LODE_SCRUB_INTERVAL: "off" }).scrubIntervalDays, 0);
});

test("a flag stands above its environment variable", () => {
  const environment = { LODE_SCRUB_RATE: "8" };

  assert.equal(readConfig([], environment).scrubMibPerSecond, 8);
  assert.equal(readConfig(["--scrub-rate", "4"], environment).scrubMibPerSecond, 4);
});
