/** When the scrub runs, what it remembers, and how it tells what it found. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { Metrics } from "#base/metrics.ts";
import { Catalog } from "#catalog/catalog.ts";
import { JobOrders } from "#catalog/job-orders.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { runScrub, type ScrubJob, scrubWhenDue } from "#job/scrub.ts";
import { SCRUB, type ScrubRecord } from "#job/scrub-record.ts";
import { Scrubs } from "#job/scrubs.ts";
import { over } from "#test/check/failing-blobs.ts";
import { type Filled, filled } from "#test/check/filled.ts";

const DAY_MS = 86_400_000;
const MIB = 2 ** 20;

test("the first scrub begins at the start, and the next one an interval after it began", async () => {
  const { job, clock, reads } = await startScrubbing();

  await scrubWhenDue(job);
  const first = reads.blobs;
  clock.nowMs = job.startMs + 30 * DAY_MS - 1;
  await scrubWhenDue(job);
  const early = reads.blobs;
  clock.nowMs += 1;
  await scrubWhenDue(job);

  assert.ok(first > 0);
  assert.equal(early, first);
  assert.equal(reads.blobs, 2 * first);
});

test("after a clock was set back the next scrub does not wait for the old time to come again", async () => {
  const { job, clock, reads } = await startScrubbing();
  await scrubWhenDue(job);
  const first = reads.blobs;

  clock.nowMs = job.startMs - 400 * DAY_MS;
  await scrubWhenDue(job);
  const { nextMs } = await new Scrubs(job).status();

  assert.equal(reads.blobs, 2 * first);
  assert.equal(nextMs, job.startMs - 370 * DAY_MS);
});

test("it reads no more than the rate, and rests in between", async () => {
  const { job, clock } = await startScrubbing({ bytesPerSecond: 4_096 });

  await scrubWhenDue(job);

  const { counts, startedMs, endedMs = 0 } = await recordOf(job);
  // Each record, and each blob that is looked for, counts as 4 KiB.
  const leastMs = (counts.records + counts.blobs - 1) * 1_000;
  assert.ok(endedMs - startedMs >= leastMs, `${endedMs - startedMs} ms, and ${leastMs} due`);
  assert.equal(clock.sleptMs, endedMs - startedMs);
});

test("a scrub that a stop cuts off goes on where it was in the next process", async () => {
  const { store, job, reads } = await startScrubbing();
  const stop = new AbortController();
  const blobs = over(store.blobs, {
    size: async (id) => {
      if (id === (await store.blobOf("plain"))) stop.abort(new Error("the server stops"));
      return await store.blobs.size(id);
    },
  });
  await runScrub({ ...job, blobs, signal: stop.signal });
  const cut = await recordOf(job);
  const readBefore = reads.blobs;

  await scrubWhenDue({ ...job, holder: "the next process" });

  const { endedMs, startedMs, counts } = await recordOf(job);
  assert.equal(cut.endedMs, undefined);
  assert.ok(cut.counts.records > 0);
  assert.ok(readBefore > 0, "the blob of the upload was read before");
  assert.equal(startedMs, cut.startedMs);
  assert.notEqual(endedMs, undefined);
  let all = 0;
  for await (const _ of store.blobs.list()) all += 1;
  assert.equal(reads.blobs, all + 1, "none was read again, but the one that was under way");
  assert.equal(counts.blobs, all);
});

test("a process that died is followed by another when it has been silent for a minute, from where it last said", async () => {
  const { job, clock, reads } = await startScrubbing();
  const held = await job.place.take("one that dies", 60_000);
  assert.ok(held);

  await scrubWhenDue(job);
  assert.equal(reads.blobs, 0);
  clock.nowMs += 60_001;
  await scrubWhenDue(job);

  assert.ok(reads.blobs > 0);
});

test("while it is paused nothing is read, also in the next process; resumed, it goes on where it was", async () => {
  const { store, job, clock, reads } = await startScrubbing();
  const scrubs = new Scrubs(job);
  const blobs = over(store.blobs, {
    size: async (id) => {
      if (id === (await store.blobOf("plain"))) {
        await scrubs.pause();
        clock.nowMs += 60_000;
      }
      return await store.blobs.size(id);
    },
  });
  await scrubWhenDue({ ...job, blobs });
  const paused = await scrubs.status();
  const readBefore = reads.blobs;
  await scrubWhenDue({ ...job, holder: "the next process" });
  const readWhilePaused = reads.blobs;

  await scrubs.resume();
  await scrubWhenDue(job);

  assert.equal(paused.state, "paused");
  assert.ok(paused.current !== undefined);
  assert.equal(readWhilePaused, readBefore);
  assert.equal((await scrubs.status()).state, "waiting");
  assert.equal((await recordOf(job)).startedMs, paused.current.startedMs);
});

test("turned off, none begins by itself, and one that is asked for is done once", async () => {
  const { job, clock, reads } = await startScrubbing({ intervalMs: 0 });
  const scrubs = new Scrubs(job);
  await scrubWhenDue(job);
  clock.nowMs += 400 * DAY_MS;
  await scrubWhenDue(job);
  const before = reads.blobs;

  await scrubs.start();
  await scrubWhenDue(job);
  const asked = reads.blobs;
  await scrubWhenDue(job);

  assert.equal(before, 0);
  assert.ok(asked > 0);
  assert.equal(reads.blobs, asked);
  assert.equal((await scrubs.status()).state, "off");
});

test("what is damaged is told with its bucket, key and version, counted, and remembered", async () => {
  const { store, job, told, metrics, clock } = await startScrubbing();
  const blob = await store.blobOf("plain");
  await store.blobs.damage(blob, flipped);

  await scrubWhenDue(job);

  const fields = {
    ...{ bucket: "first-bucket", key: "plain", versionId: "null", uploadId: undefined },
    ...{ kind: "blob-damaged", blob },
  };
  assert.deepEqual(told.errors, [
    {
      message: "the scrub found damage: restore the object from a backup, or write it again",
      fields,
    },
  ]);
  assert.equal(await metricOf(metrics, "lode_scrub_damaged"), 1);
  const { last } = await new Scrubs(job).status();
  assert.equal(last?.counts.damaged, 1);
  assert.equal(last?.damages[0]?.bucket, "first-bucket");

  // Mended, and read again.
  await store.blobs.damage(blob, (its) => its);
  clock.nowMs += 31 * DAY_MS;
  await scrubWhenDue(job);
  assert.equal(await metricOf(metrics, "lode_scrub_damaged"), 0);
});

test("what was found is remembered at once, and told once over a stop", async () => {
  const { store, job, told } = await startScrubbing();
  for (const key of ["open", "plain"]) await store.blobs.damage(await store.blobOf(key), flipped);
  const stop = new AbortController();
  const remembered: unknown[] = [];
  const plain = await store.blobOf("plain");
  const blobs = over(job.blobs, {
    size: async (id) => {
      if (id === plain) remembered.push((await recordOf(job)).counts.damaged);
      return await store.blobs.size(id);
    },
  });
  const log: Log = {
    ...job.log,
    error: (message, cause, fields) => {
      job.log.error(message, cause, fields);
      if (told.errors.length === 2) stop.abort(new Error("the server stops"));
    },
  };

  await runScrub({ ...job, blobs, log, signal: stop.signal });
  await scrubWhenDue(job);

  assert.equal(remembered[0], 1);
  assert.equal(told.errors.length, 2);
  assert.equal((await recordOf(job)).counts.damaged, 2);
});

test("what was found is still shown after a restart, and while the next scrub has not found it yet", async () => {
  const { store, job, clock } = await startScrubbing();
  await store.blobs.damage(await store.blobOf("plain"), flipped);
  await scrubWhenDue(job);
  clock.nowMs += 31 * DAY_MS;
  const { scrub: afresh } = new Metrics();
  const blobs = over(store.blobs, {
    size: async (id) => {
      // Each look shows it anew.
      clock.nowMs += 11_000;
      assert.equal((await afresh.damaged.get()).values[0]?.value, 1);
      return await store.blobs.size(id);
    },
  });

  await scrubWhenDue({ ...job, blobs, metrics: afresh });

  assert.equal((await afresh.found.get()).values[0]?.value, 1);
});

test("the metrics say what was read, and when", async () => {
  const { job, metrics, store } = await startScrubbing();

  await scrubWhenDue(job);

  const { counts, startedMs, endedMs = 0 } = await recordOf(job);
  let all = 0;
  for await (const _ of store.blobs.list()) all += 1;
  assert.equal(await metricOf(metrics, "lode_scrub_blobs_total"), all);
  assert.equal(await metricOf(metrics, "lode_scrub_bytes_total"), counts.bytes);
  assert.equal(await metricOf(metrics, "lode_scrub_records_total"), counts.records);
  assert.equal(await metricOf(metrics, "lode_scrub_running"), 0);
  assert.equal(await metricOf(metrics, "lode_scrub_started_seconds"), startedMs / 1_000);
  assert.equal(await metricOf(metrics, "lode_scrub_ended_seconds"), endedMs / 1_000);
});

test("a scrub that takes longer than the interval says so once, and goes on to the end", async () => {
  const { job, told } = await startScrubbing({ intervalMs: 30_000, bytesPerSecond: 512 });

  await scrubWhenDue(job);

  assert.deepEqual(told.warnings.length, 1);
  assert.match(told.warnings[0] ?? "", /longer than --scrub-interval/);
  assert.notEqual((await recordOf(job)).endedMs, undefined);
});

test("a store that fails is told once, and tried again and again", async () => {
  const { store, job, told, clock } = await startScrubbing();
  const stop = new AbortController();
  let failures = 0;
  const meta = {
    get: async (key: Uint8Array) => await store.meta.get(key),
    scan: async () => {
      failures += 1;
      if (failures === 3) stop.abort(new Error("enough"));
      throw new Error("a page cannot be read");
    },
  };

  await runScrub({ ...job, meta, signal: stop.signal });

  assert.deepEqual(
    told.errors.map(({ message }) => message),
    ["the scrub could not go on; it is tried again"],
  );
  assert.ok(clock.sleptMs >= 120_000);
});

test("a scrub in which the server ended three times at one place is paused, and says so", async () => {
  const { job, clock, reads, told } = await startScrubbing();
  for (let starts = 1; starts <= 3; starts += 1) {
    const held = await job.place.take(`one that dies, ${starts}`, 60_000);
    assert.ok(held);
    const place = { from: "", done: 0 };
    const counts = { records: 0, blobs: 0, bytes: 0, damaged: 0 };
    await held.save({ startedMs: clock.nowMs, place, counts, damages: [], starts });
    clock.nowMs += 60_001;
  }

  await scrubWhenDue(job);

  assert.equal(reads.blobs, 0);
  assert.match(told.errors[0]?.message ?? "", /the scrub is paused/);
  const scrubs = new Scrubs(job);
  assert.equal((await scrubs.status()).state, "paused");
  await scrubs.resume();
  await scrubWhenDue(job);
  assert.ok(reads.blobs > 0);
});

test("a place and orders that cannot be read are none, and the scrub begins anew", async () => {
  const { store, job, reads } = await startScrubbing();
  await new Scrubs(job).pause();
  for (const key of [`j${SCRUB}`, `j${SCRUB}/orders`]) {
    await store.write(Buffer.from(key), Buffer.from("nonsense"));
  }

  await scrubWhenDue(job);

  assert.ok(reads.blobs > 0);
  assert.notEqual((await recordOf(job)).endedMs, undefined);
});

interface Settings {
  readonly intervalMs?: number;
  readonly bytesPerSecond?: number;
}

/** A scrub over small stores, on a clock on which time passes only while somebody sleeps. */
async function startScrubbing({
  intervalMs = 30 * DAY_MS,
  bytesPerSecond = 16 * MIB,
}: Settings = {}) {
  const store = await filled();
  const clock = new SleptClock(store.clock.now());
  const reads = { blobs: 0 };
  const blobs: Filled["blobs"] = over(store.blobs, {
    readChecked: (id, range) => {
      reads.blobs += 1;
      return store.blobs.readChecked(id, range);
    },
  });
  const told: Told = { errors: [], warnings: [] };
  const metrics = new Metrics();
  const job = {
    ...{ meta: store.meta, blobs, clock, intervalMs, bytesPerSecond },
    startMs: clock.nowMs,
    place: new JobPlace<ScrubRecord>(store.meta, clock, SCRUB),
    orders: new JobOrders(store.meta, SCRUB),
    holder: "this process",
    catalog: new Catalog(store.meta, clock),
    metrics: metrics.scrub,
    log: logInto(told),
    signal: new AbortController().signal,
  } satisfies ScrubJob & { readonly startMs: number };
  return { store: { ...store, blobs }, job, clock, reads, told, metrics };
}

class SleptClock implements Clock {
  nowMs: number;
  sleptMs = 0;
  readonly now = (): number => this.nowMs;
  readonly sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.nowMs += ms;
    this.sleptMs += ms;
  };

  constructor(startMs: number) {
    this.nowMs = startMs;
  }
}

interface Told {
  readonly errors: { readonly message: string; readonly fields: unknown }[];
  readonly warnings: string[];
}

function logInto({ errors, warnings }: Told): Log {
  return {
    info: () => undefined,
    warn: (message) => void warnings.push(message),
    error: (message, _, fields) => void errors.push({ message, fields }),
    access: () => undefined,
    flush: async () => undefined,
  };
}

async function recordOf({ place }: Pick<ScrubJob, "place">): Promise<ScrubRecord> {
  const record = await place.read();
  assert.ok(record);
  return record;
}

async function metricOf({ registry }: Metrics, name: string): Promise<number | undefined> {
  const all = await registry.getMetricsAsJSON();
  return all.find((metric) => metric.name === name)?.values[0]?.value;
}

function flipped(bytes: Uint8Array): Buffer {
  const other = Buffer.from(bytes);
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
}
