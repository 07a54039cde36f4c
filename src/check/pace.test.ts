import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#base/clock.ts";
import { Pace } from "#check/pace.ts";

/** A clock on which time passes while somebody sleeps, and when it is moved. */
class SleptClock implements Clock {
  nowMs = 1_000_000;
  sleptMs = 0;
  readonly now = (): number => this.nowMs;
  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.nowMs += ms;
    this.sleptMs += ms;
  };
}

const MIB = 2 ** 20;

test("so many bytes take as long as the rate says", async () => {
  const clock = new SleptClock();
  const pace = new Pace({ clock, bytesPerSecond: 16 * MIB });
  for (let chunk = 0; chunk < 160; chunk += 1) await pace.spend(MIB);
  assert.equal(clock.sleptMs, 10_000);
});

test("short rests are saved up, and none is forgotten", async () => {
  const clock = new SleptClock();
  const pace = new Pace({ clock, bytesPerSecond: 16 * MIB });
  for (let record = 0; record < 16 * 256; record += 1) await pace.spend(4_096);
  assert.ok(clock.sleptMs > 950 && clock.sleptMs <= 1_000, `${clock.sleptMs}`);
});

test("what was lost to a slow disk is not made up for by haste", async () => {
  const clock = new SleptClock();
  const pace = new Pace({ clock, bytesPerSecond: 16 * MIB });
  await pace.spend(MIB);
  clock.nowMs += 3_600_000;
  clock.sleptMs = 0;
  for (let chunk = 0; chunk < 16; chunk += 1) await pace.spend(MIB);
  assert.ok(clock.sleptMs >= 950, `${clock.sleptMs}`);
});

test("a clock that is set back makes nobody wait for the time that it was set back by", async () => {
  const clock = new SleptClock();
  const pace = new Pace({ clock, bytesPerSecond: 16 * MIB, restTimes: 4 });
  await pace.spend(MIB);
  clock.nowMs -= 3_600_000;
  clock.sleptMs = 0;
  await pace.spend(MIB);
  assert.ok(clock.sleptMs <= 100, `${clock.sleptMs}`);
});

test("work that takes long is followed by a rest of so many times as long, up to a second", async () => {
  const clock = new SleptClock();
  const pace = new Pace({ clock, bytesPerSecond: 2 ** 40, restTimes: 4 });
  clock.nowMs += 100;
  await pace.spend(MIB);
  assert.equal(clock.sleptMs, 400);
  clock.sleptMs = 0;
  await pace.spend(MIB);
  assert.equal(clock.sleptMs, 0, "only what was done since the rest counts");
  clock.nowMs += 3_600_000;
  await pace.spend(MIB);
  assert.equal(clock.sleptMs, 1_000);
});

test("whoever is told to stop stops, also in the midst of a rest", async () => {
  const stop = new AbortController();
  const pace = new Pace({ clock: new SleptClock(), bytesPerSecond: MIB, signal: stop.signal });
  stop.abort(new Error("the server stops"));
  await assert.rejects(pace.spend(1), /the server stops/);
});
