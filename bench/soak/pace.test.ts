import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { Pace } from "./pace.ts";

/** A clock that stands still, and what it was asked to wait. */
function stopped() {
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    waits.push(ms);
  };
  return { waits, clock: { now: () => 1_000, sleep } };
}
const { signal } = new AbortController();

test("turns come one after the other, as the rate has it", async () => {
  const { waits, clock } = stopped();
  const pace = new Pace(200, clock);
  for (let turn = 0; turn < 4; turn += 1) await pace.turn(signal);

  assert.deepEqual(waits, [0, 5, 10, 15]);
});

test("turns that nobody took are not made up for", async () => {
  const { waits, clock } = stopped();
  let nowMs = 1_000;
  const pace = new Pace(200, { ...clock, now: () => nowMs });
  await pace.turn(signal);
  nowMs = 9_000;
  for (let turn = 0; turn < 2; turn += 1) await pace.turn(signal);

  assert.deepEqual(waits, [0, 0, 5]);
});

test("who waits is let go when it is over", async () => {
  const pace = new Pace(0.001, systemClock);
  const stop = new AbortController();
  await pace.turn(stop.signal);
  const waiting = pace.turn(stop.signal);
  stop.abort();
  await waiting;
});

test("without a rate nobody waits", async () => {
  const { waits, clock } = stopped();
  const pace = new Pace(undefined, clock);
  for (let turn = 0; turn < 4; turn += 1) await pace.turn(signal);

  assert.deepEqual(waits, []);
});
