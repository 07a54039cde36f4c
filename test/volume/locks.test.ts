/** Locks between servers: who is alive, who is dead, and who is only not heard of. */
import assert from "node:assert/strict";
import { linkSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { refused } from "#test/contract/engine-objects.ts";
import { openVolume, type TestVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { sweepLeftovers } from "#volume/sweep.ts";

const LONG_AGO = 1_000_000_000;
/** Patience is counted in attempts. */
const IMPATIENT = { ...systemClock, sleep: async () => {} };

/** The owner file of a server on another machine. */
function stranger({ at }: TestVolume, id: string, { heard }: { readonly heard: boolean }): string {
  const path = at(HIDDEN_NAME, "owners", id);
  const origin = { boot: "another", pidNamespace: "pid:[1]", pid: 1, started: "1" };
  writeFileSync(path, JSON.stringify(origin));
  if (!heard) utimesSync(path, LONG_AGO, LONG_AGO);
  return path;
}

function lockPath({ at }: TestVolume, name: string, rank: number): string {
  return at(HIDDEN_NAME, "locks", `${name}.${rank}`);
}

test("a lock of another machine's server is kept while there are signs of life, then taken over", async (t) => {
  const volume = await openVolume(t, { clock: IMPATIENT });
  const { locks } = volume.volume;
  const path = stranger(volume, "a1", { heard: true });
  linkSync(path, lockPath(volume, "l", 0));
  await refused(
    locks.hold("l", async () => "held"),
    "SlowDown",
  );
  utimesSync(path, LONG_AGO, LONG_AGO);
  assert.equal(await locks.hold("l", async () => "held"), "held");
  assert.deepEqual(readdirSync(volume.at(HIDDEN_NAME, "locks")), []);
});

test("of several who died one after the other, none keeps the lock", async (t) => {
  const volume = await openVolume(t, { clock: IMPATIENT });
  for (const rank of [0, 1, 2]) {
    linkSync(stranger(volume, `a${rank}`, { heard: false }), lockPath(volume, "l", rank));
  }
  assert.equal(await volume.volume.locks.hold("l", async () => "held"), "held");
  assert.deepEqual(readdirSync(volume.at(HIDDEN_NAME, "locks")), []);
});

test("a rank above one that is gone does not hold: the lock is begun again from below", async (t) => {
  const volume = await openVolume(t, { clock: IMPATIENT });
  const { locks } = volume.volume;
  linkSync(stranger(volume, "a0", { heard: false }), lockPath(volume, "l", 1));
  assert.equal(await locks.hold("l", async () => "held"), "held");
  // What is left above stands in nobody's way, and goes with a sweep.
  assert.deepEqual(readdirSync(volume.at(HIDDEN_NAME, "locks")), ["l.1"]);
  assert.equal(await sweepLeftovers(volume.volume), 1);
  assert.deepEqual(readdirSync(volume.at(HIDDEN_NAME, "locks")), []);
});

test("who was taken for dead finds out before he commits", async (t) => {
  let nowMs = 0;
  const clock = { ...IMPATIENT, now: () => nowMs };
  const volume = await openVolume(t, { clock });
  const { locks } = volume.volume;
  const taken = locks.hold("l", async ({ confirm }) => {
    await confirm();
    linkSync(stranger(volume, "a1", { heard: true }), lockPath(volume, "l", 1));
    nowMs += 60_000;
    await confirm();
  });
  await refused(taken, "OperationAborted");
  const removed = locks.hold("m", async ({ confirm }) => {
    rmSync(lockPath(volume, "m", 0));
    nowMs += 60_000;
    await confirm();
  });
  await refused(removed, "OperationAborted");
  const kept = locks.hold("n", async ({ confirm }) => {
    nowMs += 60_000;
    await confirm();
    return "kept";
  });
  assert.equal(await kept, "kept");
});

test("in one process those who want one lock get it one after the other", async (t) => {
  const { volume } = await openVolume(t);
  let inside = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) =>
      volume.locks.hold("l", async () => {
        inside += 1;
        assert.equal(inside, 1);
        await Promise.resolve();
        order.push(at);
        inside -= 1;
      }),
    ),
  );
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});

test("a lock whose holder fails is free again", async (t) => {
  const { volume } = await openVolume(t);
  const failing = volume.locks.hold("l", async () => {
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.equal(await volume.locks.hold("l", async () => "held"), "held");
});
