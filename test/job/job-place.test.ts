import assert from "node:assert/strict";
import { test } from "node:test";
import { JobPlace } from "#catalog/job-place.ts";
import { MemoryMetaStore } from "#meta/memory.ts";

const LEASE_MS = 10_000;

/** Several processes over one store. */
function processes() {
  const meta = new MemoryMetaStore();
  let nowMs = 1_000_000;
  const clock = { now: () => nowMs, sleep: async () => undefined };
  return {
    start: () => new JobPlace<number>(meta, clock, "sweep"),
    other: () => new JobPlace<number>(meta, clock, "another job"),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("of many that take a job at one moment, one has it", async () => {
  const { start } = processes();

  const taken = await Promise.all(
    Array.from({ length: 20 }, (_, number) => start().take(`process ${number}`, LEASE_MS)),
  );

  assert.equal(taken.filter((held) => held !== undefined).length, 1);
});

test("a job that was released is taken at once, where it was", async () => {
  const { start } = processes();
  const first = await start().take("first", LEASE_MS);
  assert.equal(first?.place, undefined);
  await first?.save(1);
  await first?.release(2);

  const second = await start().take("second", LEASE_MS);

  assert.equal(second?.place, 2);
  assert.equal(await start().read(), 2);
});

test("a job stays with whoever saves within the lease, and is lost by who does not", async () => {
  const { start, pass } = processes();
  const first = await start().take("first", LEASE_MS);
  pass(LEASE_MS - 1);
  assert.equal(await first?.save(1), true);
  pass(LEASE_MS - 1);
  assert.equal(await start().take("second", LEASE_MS), undefined);
  pass(1);

  const second = await start().take("second", LEASE_MS);

  assert.equal(second?.place, 1);
  assert.equal(await first?.save(5), false);
  await first?.release(6);
  assert.equal(await start().read(), 1, "who has lost it changes nothing");
  assert.equal(await second?.save(2), true);
});

test("one job is not another", async () => {
  const { start, other } = processes();
  await start().take("first", LEASE_MS);

  assert.notEqual(await other().take("second", LEASE_MS), undefined);
});

test("a job of who died is free after a lease, though the clock was set back by hours since", async () => {
  const { start, pass } = processes();
  await start().take("first", LEASE_MS);
  pass(LEASE_MS - 1);
  pass(-LEASE_MS);
  assert.equal(await start().take("second", LEASE_MS), undefined);

  pass(-3_600_000);

  assert.ok((await start().take("second", LEASE_MS)) !== undefined);
});
