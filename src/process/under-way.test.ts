import assert from "node:assert/strict";
import { test } from "node:test";
import { UnderWay } from "#process/under-way.ts";

const HOUR_MS = 3_600_000;

/** Two clocks: one is set, the other only goes on. */
function clocks() {
  let [nowMs, upMs] = [10 * HOUR_MS, 5];
  const pass = (ms: number) => {
    nowMs += ms;
    upMs += ms;
  };
  const set = (ms: number) => {
    nowMs += ms;
  };
  return { pass, set, now: () => nowMs, underWay: new UnderWay({ now: () => nowMs }, () => upMs) };
}

test("the oldest request is the first that has not ended; without any, it is now", () => {
  const { underWay, pass, now } = clocks();
  const [firstMs, endFirst] = [now(), underWay.begin()];
  pass(100);
  const [secondMs, endSecond] = [now(), underWay.begin()];
  pass(100);

  assert.equal(underWay.oldestMs(), firstMs);
  endFirst();
  assert.equal(underWay.oldestMs(), secondMs);
  endSecond();
  assert.equal(underWay.oldestMs(), now());
});

test("what is thrown away while a request goes on is later than it, though the clock is set back meanwhile", () => {
  const { underWay, pass, set, now } = clocks();
  underWay.begin();
  pass(1_000);
  set(-2 * HOUR_MS);
  const thrownAwayMs = now();
  underWay.begin();
  pass(HOUR_MS);

  assert.ok(underWay.oldestMs() < thrownAwayMs);
});

test("what is thrown away while a request goes on is no earlier than it, though the clock is set forward meanwhile", () => {
  const { underWay, pass, set, now } = clocks();
  underWay.begin();
  const thrownAwayMs = now();
  pass(1_000);
  set(2 * HOUR_MS);
  underWay.begin();
  pass(1_000);

  assert.ok(underWay.oldestMs() <= thrownAwayMs);
});

test("in whatever order requests end, and told twice or not, the oldest of those left is the first of them", () => {
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ]) {
    const { underWay, pass, now } = clocks();
    const left = Array.from({ length: 4 }, () => {
      pass(10);
      return { ms: now(), end: underWay.begin() };
    });
    const going = new Set(left);
    for (const each of order.flatMap((index) => left[index] ?? [])) {
      each.end();
      each.end();
      going.delete(each);
      const [first] = going;
      assert.equal(underWay.oldestMs(), first?.ms ?? now());
    }
  }
});
