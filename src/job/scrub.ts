import type { Clock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import type { ScrubMetrics } from "#base/metrics.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { eachBucket } from "#catalog/each-bucket.ts";
import type { JobOrders } from "#catalog/job-orders.ts";
import type { HeldPlace, JobPlace } from "#catalog/job-place.ts";
import { Pace } from "#check/pace.ts";
import {
  DAMAGE_KINDS,
  type Damage,
  SCRUB_START,
  type Scrubbed,
  type ScrubOptions,
  type ScrubPlace,
  scrub,
} from "#check/scrub.ts";
import {
  damagedIn,
  type FoundDamage,
  lastWhole,
  type ScrubCounts,
  type ScrubRecord,
  type ScrubSettings,
  scrubEarlyMs,
} from "#job/scrub-record.ts";

export interface ScrubJob extends ScrubSettings, Pick<ScrubOptions, "meta" | "blobs"> {
  readonly place: JobPlace<ScrubRecord>;
  readonly orders: JobOrders;
  /** A name of this process that no other has. */
  readonly holder: string;
  readonly catalog: Pick<Catalog, "list">;
  readonly clock: Clock;
  readonly metrics: ScrubMetrics;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How soon an order is seen. */
const LOOK_MS = 10_000;
const SAVE_MS = 10_000;
const RETRY_MS = 60_000;
/** Whoever scrubs and falls silent for so long is taken for dead. */
const LEASE_MS = 60_000;
/** After a while of reading it rests four times as long: it takes a fifth of a disk that is busy, at the most. */
const REST_TIMES = 4;
/** A process that ended so often where the scrub stood may have ended of it. */
const STARTS_MAX = 3;
const DAMAGES_MAX = 20;
/** So many findings a process tells one by one; all are counted. */
const TOLD_MAX = 1_000;

const NOTHING: ScrubCounts = { records: 0, blobs: 0, bytes: 0, damaged: 0 };

/**
 * Reads all that is stored again, at a low rate and once in an interval, and says what is damaged, until the signal. One
 * that was cut short goes on where it was. It mends nothing and deletes nothing. Why it cannot go on is told once.
 */
export async function runScrub(job: ScrubJob): Promise<void> {
  const { clock, signal, log } = job;
  let told = "";
  while (!signal.aborted) {
    let waitMs = RETRY_MS;
    try {
      waitMs = await scrubWhenDue(job);
      told = "";
    } catch (cause) {
      if (signal.aborted) return;
      const failure = String(cause);
      if (failure !== told) log.error("the scrub could not go on; it is tried again", cause);
      told = failure;
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** Scrubs unless it is too early, paused, or somebody else does. Resolves to how long to wait before the next look. */
export async function scrubWhenDue(job: ScrubJob): Promise<number> {
  const { clock, intervalMs, place, orders, holder, metrics, log } = job;
  const known = await place.read();
  if (known !== undefined) show(metrics, known);
  const { paused, asked } = await orders.read();
  if (paused) return LOOK_MS;
  const nowMs = clock.now();
  const earlyMs = asked ? 0 : scrubEarlyMs(known, { intervalMs, nowMs });
  if (earlyMs !== 0) return Math.min(earlyMs ?? LOOK_MS, LOOK_MS);
  const held = await place.take(holder, LEASE_MS);
  if (held === undefined) return LOOK_MS;
  const record = toGoOnFrom(held.place, nowMs);
  if (record.starts > STARTS_MAX) {
    await orders.give({ paused: true });
    await held.release({ ...record, starts: 0 });
    const cause = new StorageError("unavailable", `it ended ${STARTS_MAX} times at one place`);
    const message =
      "the scrub is paused: the server ended each time that it went on; the disk below metadata/ may be failing, and the system's log says so then. lode scrub resume tries again";
    log.error(message, cause);
    return LOOK_MS;
  }
  await new Pass(job, held, record).run();
  return LOOK_MS;
}

/** An unfinished scrub, else a new one. */
function toGoOnFrom(record: ScrubRecord | undefined, nowMs: number): ScrubRecord {
  if (record !== undefined && record.endedMs === undefined) {
    return { ...record, starts: record.starts + 1 };
  }
  const last = record && withoutPlace(record);
  return { startedMs: nowMs, place: SCRUB_START, counts: NOTHING, damages: [], last, starts: 1 };
}

function withoutPlace({ startedMs, endedMs, counts, damages }: ScrubRecord): ScrubRecord["last"] {
  return { startedMs, endedMs, counts, damages };
}

/** A scrub in the hands of this process. */
class Pass {
  readonly #job: ScrubJob;
  readonly #held: HeldPlace<ScrubRecord>;
  /** What was counted before this process took it up. */
  readonly #before: ScrubCounts;
  #record: ScrubRecord;
  #savedMs: number;
  #told = 0;
  #toldLate = false;
  #bucket = { id: "", name: "" };

  constructor(job: ScrubJob, held: HeldPlace<ScrubRecord>, record: ScrubRecord) {
    this.#job = job;
    this.#held = held;
    this.#before = record.counts;
    this.#record = record;
    this.#savedMs = job.clock.now();
  }

  async run(): Promise<void> {
    const { meta, blobs, clock, bytesPerSecond, metrics, orders, signal } = this.#job;
    if (!(await this.#held.save(this.#record))) return;
    const pace = new Pace({ clock, bytesPerSecond, restTimes: REST_TIMES, signal });
    metrics.running.set(1);
    try {
      const { isWhole, failure, place, scrubbed } = await scrub(
        {
          ...{ meta, blobs },
          spend: async (bytes) => await pace.spend(bytes),
          goesOn: async (place, scrubbed) => await this.#goesOn(place, scrubbed),
          found: async (damage) => await this.#found(damage),
        },
        this.#record.place,
      );
      this.#count(place, scrubbed);
      if (failure !== undefined) throw failure;
      if (isWhole) {
        // Before the end is remembered: who dies between the two has only asked for what was done.
        if ((await orders.read()).asked) await orders.give({ asked: false });
        this.#end();
      }
    } finally {
      metrics.running.set(0);
      await this.#held.release({ ...this.#record, starts: 0 });
      show(metrics, this.#record);
    }
  }

  /** Remembers the place now and then. False: it is paused, or somebody else's. */
  async #goesOn(place: ScrubPlace, scrubbed: Scrubbed): Promise<boolean> {
    const { clock, orders, metrics } = this.#job;
    this.#count(place, scrubbed);
    const nowMs = clock.now();
    if (nowMs >= this.#savedMs && nowMs < this.#savedMs + SAVE_MS) return true;
    this.#savedMs = nowMs;
    this.#record = { ...this.#record, starts: 0 };
    show(metrics, this.#record);
    this.#tellLate(nowMs);
    if ((await orders.read()).paused) return false;
    return await this.#held.save(this.#record);
  }

  #count(place: ScrubPlace, { records, blobs, bytes }: Scrubbed): void {
    const { metrics } = this.#job;
    const { counts: until } = this.#record;
    const counts: ScrubCounts = {
      records: this.#before.records + records,
      blobs: this.#before.blobs + blobs,
      bytes: this.#before.bytes + bytes,
      damaged: until.damaged,
    };
    metrics.records.inc(counts.records - until.records);
    metrics.blobs.inc(counts.blobs - until.blobs);
    metrics.bytes.inc(counts.bytes - until.bytes);
    this.#record = { ...this.#record, place, counts };
  }

  #tellLate(nowMs: number): void {
    const { intervalMs, bytesPerSecond, log } = this.#job;
    const isLate = intervalMs > 0 && nowMs > this.#record.startedMs + intervalMs;
    if (!isLate || this.#toldLate) return;
    this.#toldLate = true;
    const mebibytes = bytesPerSecond / 2 ** 20;
    const message =
      "the scrub takes longer than --scrub-interval at this --scrub-rate; it goes on, and the next one follows at once";
    log.warn(message, { ...this.#record.counts, rate: `${mebibytes} MiB/s` });
  }

  #end(): void {
    const { clock, log } = this.#job;
    const nowMs = clock.now();
    this.#record = { ...this.#record, endedMs: nowMs };
    const { counts, startedMs } = this.#record;
    if (counts.records === 0) return;
    const hours = Math.round((nowMs - startedMs) / 360_000) / 10;
    log.info("the scrub has read everything", { ...counts, hours });
  }

  async #found({ bucketId, ...damage }: Damage): Promise<void> {
    const { clock, log, metrics } = this.#job;
    const bucket = await this.#bucketName(bucketId);
    const { counts, damages } = this.#record;
    const found: FoundDamage = { bucket, ...damage, foundMs: clock.now() };
    this.#record = { ...this.#record, counts: { ...counts, damaged: counts.damaged + 1 } };
    if (damages.length < DAMAGES_MAX) {
      this.#record = { ...this.#record, damages: [...damages, found] };
      // The next look remembers it.
      this.#savedMs = Number.NEGATIVE_INFINITY;
    }
    const { kind, key, versionId, uploadId, blob } = damage;
    metrics.found.inc({ kind });
    metrics.damaged.set(damagedIn(this.#record));
    this.#told += 1;
    if (this.#told > TOLD_MAX) return;
    const cause = new StorageError("corrupt", DAMAGE_KINDS[kind]);
    const message = `the scrub found damage: ${mendOf(damage)}`;
    log.error(message, cause, { bucket, key, versionId, uploadId, kind, blob });
    if (this.#told === TOLD_MAX) log.warn("more damage is counted, and no longer told one by one");
  }

  async #bucketName(id: string): Promise<string> {
    if (this.#bucket.id === id) return this.#bucket.name;
    for await (const row of eachBucket(this.#job.catalog, { after: "" })) {
      if (!("bucket" in row) || row.bucket.id !== id) continue;
      this.#bucket = { id, name: row.name };
      return row.name;
    }
    this.#bucket = { id, name: id };
    return id;
  }
}

function mendOf({ versionId, uploadId }: Omit<Damage, "bucketId">): string {
  if (uploadId !== undefined) return "send the parts of this upload again";
  if (versionId !== undefined) return "restore the object from a backup, or write it again";
  return "lode check --online --repair writes the head of this key again";
}

function show({ damaged, started, ended }: ScrubMetrics, record: ScrubRecord): void {
  damaged.set(damagedIn(record));
  started.set(record.startedMs / 1_000);
  const { endedMs } = lastWhole(record) ?? {};
  if (endedMs !== undefined) ended.set(endedMs / 1_000);
}
