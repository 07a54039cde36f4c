/** How sweeps follow each other, and what a sweep that is cut short leaves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import { runLifecycle, sweepAll, sweepWhenDue } from "#job/lifecycle.ts";
import { type SweepPlace, sweep } from "#job/lifecycle-sweep.ts";
import type { Engine } from "#object/engine.ts";
import { DAY_MS } from "#object/lifecycle-due.ts";
import {
  abort,
  countOf,
  DAYS,
  MARKERS,
  noncurrent,
  rule,
  startSweeping,
} from "#test/job/ruled-bucket.ts";

const SECOND_DAYS = 1 / 86_400;
const START = { startedMs: 0, afterBucket: "" };

test("a sweep that is stopped after any page goes on there, over objects, versions and uploads", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const actions = DAYS + noncurrent(1, 1) + abort(1);
  const all = await Promise.all(
    ["one", "two"].map((name) => bucket(name, rule(actions), "Enabled")),
  );
  for (const s3 of all) {
    for (let number = 0; number < 600; number += 1) await s3.put(`old/${number % 200}`);
    for (let number = 0; number < 600; number += 1) await s3.upload(`upload/${number}`);
  }
  moveDays(3);

  let place: SweepPlace = START;
  let stops = 0;
  while (place.endedMs === undefined) {
    // As another process reads it.
    const from = JSON.parse(JSON.stringify(place));
    place = await sweep(job, from, async () => false);
    stops += 1;
  }

  assert.ok(stops > 6, `${stops} stops`);
  for (const s3 of all) {
    assert.deepEqual(await s3.keys(), []);
    // Of each key the marker, the version it hides, and one more that is kept.
    assert.equal((await s3.versions()).length, 3 * 200);
    assert.deepEqual(await s3.uploads(), []);
  }
  assert.equal(await countOf(job.metrics.actions, "expired"), 400);
  assert.equal(await countOf(job.metrics.actions, "noncurrent"), 400);
  assert.equal(await countOf(job.metrics.actions, "uploads"), 1_200);
});

test("after a clock was set back the next sweep does not wait for the old time to come again", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  moveDays(10);
  await sweepWhenDue(job);
  moveDays(-9);
  await s3.put("old");
  moveDays(2);

  await sweepWhenDue(job);
  const swept = await s3.keys();
  const next = await sweepWhenDue(job);

  assert.deepEqual(swept, []);
  assert.equal(next, 30_000, "and the one after it is not due at once");
});

test("a sweep whose end was before the clock was set back does not put off the next one, though it began after it", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  const held = await job.place.take(job.holder, 30_000);
  const nowMs = job.clock.now();
  await held?.release({ startedMs: nowMs, endedMs: nowMs + 10 * DAY_MS, afterBucket: "" });
  await s3.put("old");
  moveDays(3);

  await sweepWhenDue(job);

  assert.deepEqual(await s3.keys(), []);
});

test("a sweep that fails is tried again half a minute later, not each second", async () => {
  const { job, errors } = startSweeping();
  const stop = new AbortController();
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    if (slept.length === 3) stop.abort();
  };
  const list = async () => {
    throw new SyntaxError("a bucket's record cannot be read");
  };
  const catalog = Object.assign(Object.create(job.catalog), { list }) as typeof job.catalog;

  await runLifecycle({ ...job, catalog, clock: { ...job.clock, sleep }, signal: stop.signal });

  assert.deepEqual(slept, [30_000, 30_000, 30_000]);
  assert.equal(errors.length, 3);
});

test("a clock that is set while a page is looked at makes the sweep rest no longer than a second", async () => {
  const { job, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  for (let number = 0; number < 1_200; number += 1) await s3.put(`${number}`);
  const slept: number[] = [];
  let nowMs = job.clock.now();
  const now = () => {
    nowMs += 3_600_000;
    return nowMs;
  };
  const sleep = async (ms: number) => {
    slept.push(ms);
  };

  await sweep({ ...job, clock: { now, sleep } }, START, async () => true);

  assert.ok(slept.length > 1);
  assert.ok(Math.max(...slept) <= 1_000, `${slept} ms`);
});

test("a sweep of many buckets without rules lets others have their turn", async () => {
  const { job, bucket } = startSweeping();
  for (let number = 0; number < 450; number += 1) await bucket(`bucket-${number}`, "");
  let [turns, isOver] = [0, false];
  const others = (async () => {
    for (; !isOver; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  })();

  await sweepAll(job);
  isOver = true;
  await others;

  assert.ok(turns >= 4, `${turns} turns`);
});

test("a sweep looks at everything once, whole or in pieces", async () => {
  const examined = async (stops: boolean) => {
    const { job, bucket } = startSweeping();
    const s3 = await bucket("bucket", rule(MARKERS), "Enabled");
    for (let number = 0; number < 1_700; number += 1) await s3.put(`${number % 3}`);
    let place: SweepPlace = START;
    while (place.endedMs === undefined) place = await sweep(job, place, async () => !stops);
    return await countOf(job.metrics.examined);
  };

  assert.equal(await examined(false), 1_700);
  assert.equal(await examined(true), 1_700);
});

test("a sweep looks only below the prefix that all rules of its kind share", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const rules = ["logs/\u{1f600}", "logs/\u{1f603}", "logs/a"].map((prefix, index) =>
    rule(DAYS, { id: `${index}`, filter: `<Prefix>${prefix}</Prefix>` }),
  );
  const s3 = await bucket("bucket", rules.slice(0, 2).join(""));
  const keys = ["logs/a", "logs/\u{1f600}", "logs/\u{1f603}", "other"];
  for (const key of keys) await s3.put(key);
  moveDays(3);

  await sweepAll(job);
  const left = await s3.keys();
  await s3.setRules(rules.join(""));
  await sweepAll(job);

  assert.deepEqual(left, ["logs/a", "other"]);
  assert.deepEqual(await s3.keys(), ["other"]);
  // Below "logs/", and again what was left there.
  assert.equal(await countOf(job.metrics.examined), 3 + 1);
});

test("a stop in the middle of a sweep is remembered, and another process goes on from there", async () => {
  const { job, moveDays, stopping, bucket } = startSweeping();
  const first = await bucket("aaa", rule(DAYS));
  const second = await bucket("bbb", rule(DAYS));
  for (const s3 of [first, second]) await s3.put("key");
  moveDays(3);
  const clock = {
    ...job.clock,
    // Between two pages.
    sleep: async () => {
      stopping.abort();
      throw stopping.signal.reason;
    },
  };

  await sweepWhenDue({ ...job, clock });
  const remembered = await job.place.read();
  const left = [await first.keys(), await second.keys()];
  const signal = new AbortController().signal;
  await sweepWhenDue({ ...job, holder: "another process", signal });

  assert.equal(remembered?.endedMs, undefined);
  assert.ok(remembered?.bucket !== undefined);
  assert.deepEqual(left, [[], ["key"]]);
  assert.deepEqual(await second.keys(), []);
  assert.equal((await job.place.read())?.startedMs, remembered.startedMs);
});

test("a sweep that is due when the last is at its end does not wait, however late it is", async () => {
  const { job } = startSweeping();
  let ms = job.clock.now();
  const clock = { ...job.clock, now: () => (ms += 5_000) };

  assert.equal(await sweepWhenDue({ ...job, clock, dayMs: 1_000 }), 0);
});

test("of two processes one sweeps, until the other has been silent for the time of its lease", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  await s3.put("key");
  moveDays(3);
  const held = await job.place.take("a process that dies", 30_000);

  await sweepWhenDue(job);
  const before = await s3.keys();
  moveDays(31 * SECOND_DAYS);
  await sweepWhenDue(job);

  assert.deepEqual(before, ["key"]);
  assert.deepEqual(await s3.keys(), []);
  assert.equal(await held?.save(START), false, "the first has lost it");
});

test("a sweep that has become somebody else's stops", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  for (let number = 0; number < 1_200; number += 1) await s3.put(`${number}`);
  moveDays(3);
  let taken = 0;
  const clock = {
    ...job.clock,
    sleep: async () => {
      moveDays(31 * SECOND_DAYS);
      if ((await job.place.take("another process", 30_000)) !== undefined) taken += 1;
    },
  };

  await sweepWhenDue({ ...job, clock });

  assert.equal(taken, 1);
  assert.ok((await s3.keys()).length > 0);
});

test("a sweep begins when the last one began an hour ago, and not before", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  await s3.put("key");
  await sweepWhenDue(job);
  const first = await job.place.read();
  moveDays(0.9 / 24);
  await sweepWhenDue(job);
  const early = await job.place.read();
  moveDays(0.2 / 24);
  await sweepWhenDue(job);

  assert.equal(early?.startedMs, first?.startedMs);
  assert.notEqual((await job.place.read())?.startedMs, first?.startedMs);
});

test("rules that are deleted during a sweep are obeyed no longer", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  for (let number = 0; number < 1_200; number += 1) await s3.put(`${number}`);
  moveDays(3);
  const clock = { ...job.clock, sleep: async () => await s3.setRules("") };

  await sweepAll({ ...job, clock });

  assert.equal((await s3.keys()).length, 700);
});

test("a bucket that fails is left, told of and counted, and the others are swept", async () => {
  const { job, moveDays, bucket, errors } = startSweeping();
  const broken = await bucket("aaa", rule(DAYS));
  const whole = await bucket("bbb", rule(DAYS));
  for (const s3 of [broken, whole]) await s3.put("key");
  moveDays(3);
  const engine = new Proxy(job.engine, {
    get: (target, name: keyof Engine) =>
      name === "list"
        ? async (...[of, ask]: Parameters<Engine["list"]>) => {
            if (of.name === "aaa") throw new StorageError("corrupt", "a broken page");
            return await target.list(of, ask);
          }
        : target[name].bind(target),
  });

  await sweepAll({ ...job, engine });

  assert.deepEqual(await broken.keys(), ["key"]);
  assert.deepEqual(await whole.keys(), []);
  assert.equal(errors.length, 1);
  assert.equal(await countOf(job.metrics.failures), 1);
});

test("the metrics tell that a sweep runs, what it has finished, and when it ended", async () => {
  const { job, bucket } = startSweeping();
  for (const name of ["one", "two", "three"]) await (await bucket(name, rule(DAYS))).put("key");
  const running: number[] = [];
  const clock = {
    ...job.clock,
    sleep: async () => {
      running.push(await countOf(job.metrics.running));
    },
  };

  await sweepWhenDue({ ...job, clock });

  assert.ok(running.length > 0);
  assert.ok(running.every((value) => value === 1));
  assert.equal(await countOf(job.metrics.running), 0);
  assert.equal(await countOf(job.metrics.buckets), 3);
  assert.equal(await countOf(job.metrics.examined), 3);
  assert.equal(await countOf(job.metrics.ended), job.clock.now() / 1_000);
});
