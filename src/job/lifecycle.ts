import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import { readXml } from "#base/xml.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine, ListedObject, ListedVersion } from "#object/engine.ts";
import { type LifecycleRule, readLifecycle } from "#object/lifecycle.ts";
import { afterDays, expiresMs, matchesFilter } from "#object/lifecycle-due.ts";
import { type ObjectKey, objectKey } from "#object/name.ts";

/** What a sweep can do. */
export type SweepAction = "expired" | "noncurrent" | "markers" | "uploads";

export interface LifecycleJob {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  /** How long a day of a rule lasts: shorter in tests. */
  readonly dayMs: number;
  readonly count: (action: SweepAction) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const DAY_MS = 86_400_000;
const SWEEPS_A_DAY = 24;
const SWEEP_MS_MIN = 1_000;
const PAGE = 500;
/** Between pages, so that requests come first. */
const BREATH_MS = 5;
const BUCKETS_AT_ONCE = 100;

/** Carries out the buckets' lifecycle rules, again and again, until the signal. */
export async function runLifecycle(job: LifecycleJob): Promise<void> {
  const waitMs = Math.max(SWEEP_MS_MIN, job.dayMs / SWEEPS_A_DAY / (job.dayMs === DAY_MS ? 1 : 4));
  while (!job.signal.aborted) {
    try {
      await job.clock.sleep(waitMs, job.signal);
      await sweepAll(job);
    } catch (cause) {
      if (job.signal.aborted) return;
      job.log.error("a lifecycle sweep failed; it will be tried again", cause);
    }
  }
}

/** Once over all buckets that have rules. */
export async function sweepAll(job: LifecycleJob): Promise<void> {
  let after = "";
  for (;;) {
    const { buckets, next } = await job.catalog.list({ prefix: "", after, limit: BUCKETS_AT_ONCE });
    for (const bucket of buckets) {
      const text = await job.catalog.document(bucket, "lifecycle");
      if (text !== undefined) await sweepBucket(job, bucket, readLifecycle(readXml(text)));
    }
    if (next === undefined) return;
    after = next;
  }
}

async function sweepBucket(
  job: LifecycleJob,
  bucket: Bucket,
  all: readonly LifecycleRule[],
): Promise<void> {
  const rules = all.filter(({ enabled }) => enabled);
  if (rules.some(({ expiration }) => expiration !== undefined)) {
    await sweepCurrent(job, bucket, rules);
  }
  const ofVersions = rules.some(
    ({ noncurrent, expiration }) =>
      noncurrent !== undefined || (expiration !== undefined && "lonelyMarkers" in expiration),
  );
  if (ofVersions && bucket.versioning !== undefined) await sweepVersions(job, bucket, rules);
  if (rules.some(({ abortDays }) => abortDays !== undefined))
    await sweepUploads(job, bucket, rules);
}

async function sweepCurrent(
  job: LifecycleJob,
  bucket: Bucket,
  rules: readonly LifecycleRule[],
): Promise<void> {
  const expiring = rules.filter(({ expiration }) => expiration !== undefined);
  let after = "";
  for (;;) {
    const page = await job.engine.list(bucket, { prefix: "", delimiter: "", after, limit: PAGE });
    for (const object of page.objects) {
      if (await isDue(job, { bucket, object, rules: expiring })) await expire(job, bucket, object);
    }
    if (page.next === undefined) return;
    after = page.next;
    await job.clock.sleep(BREATH_MS, job.signal);
  }
}

async function isDue(
  job: LifecycleJob,
  due: {
    readonly bucket: Bucket;
    readonly object: ListedObject;
    readonly rules: readonly LifecycleRule[];
  },
): Promise<boolean> {
  const now = job.clock.now();
  for (const rule of due.rules) {
    const at = expiresMs(rule, due.object, job.dayMs);
    if (at === undefined || at > now || !matchesFilter(rule.filter, due.object)) continue;
    const name = { bucket: due.bucket, key: objectKey(due.object.key) };
    if (await hasTags(job.engine, name, rule)) return true;
  }
  return false;
}

async function hasTags(
  engine: Engine,
  name: { readonly bucket: Bucket; readonly key: ObjectKey; readonly versionId?: string },
  { filter }: LifecycleRule,
): Promise<boolean> {
  if (filter.tags.length === 0) return true;
  const info = await unlessGone(async () => engine.head(name));
  const tags = new Map(info?.attributes.tags);
  return filter.tags.every(([key, value]) => tags.get(key) === value);
}

/** Only what was looked at: an object written meanwhile is another one. */
async function expire(job: LifecycleJob, bucket: Bucket, { key, modifiedMs }: ListedObject) {
  const name = { bucket, key: objectKey(key) };
  const deleted = await unlessGone(async () => job.engine.delete(name, { modifiedMs }));
  if (deleted !== undefined) job.count("expired");
}

/** Versions come by key, the newest first. */
async function sweepVersions(
  job: LifecycleJob,
  bucket: Bucket,
  rules: readonly LifecycleRule[],
): Promise<void> {
  let from: { afterKey: string; afterVersionId: string | undefined } = {
    afterKey: "",
    afterVersionId: undefined,
  };
  let newer: ListedVersion | undefined;
  let rank = 0;
  for (;;) {
    const ask = { prefix: "", delimiter: "", limit: PAGE, ...from };
    const page = await job.engine.listVersions(bucket, ask);
    for (const [index, version] of page.versions.entries()) {
      const sameKey = newer?.key === version.key;
      rank = sameKey ? rank + 1 : 0;
      const becameOldMs = sameKey ? newer?.modifiedMs : undefined;
      const alone = rank === 0 && page.versions[index + 1]?.key !== version.key;
      const last = index === page.versions.length - 1 && page.next?.key === version.key;
      await sweepVersion(job, { bucket, version, rank, becameOldMs, alone: alone && !last, rules });
      newer = version;
    }
    if (page.next === undefined) return;
    from = { afterKey: page.next.key, afterVersionId: page.next.versionId };
    await job.clock.sleep(BREATH_MS, job.signal);
  }
}

interface SweptVersion {
  readonly bucket: Bucket;
  readonly version: ListedVersion;
  /** 0 for the current version, 1 for the newest noncurrent one, and so on. */
  readonly rank: number;
  readonly becameOldMs: number | undefined;
  /** No other version of the key is left. */
  readonly alone: boolean;
  readonly rules: readonly LifecycleRule[];
}

async function sweepVersion(job: LifecycleJob, swept: SweptVersion): Promise<void> {
  const { bucket, version, rank, becameOldMs, alone, rules } = swept;
  const { versionId } = version;
  const name = { bucket, key: objectKey(version.key), versionId };
  for (const rule of rules) {
    if (!matchesFilter(rule.filter, version)) continue;
    const { noncurrent, expiration } = rule;
    const lonely =
      alone && version.deleteMarker && expiration !== undefined && "lonelyMarkers" in expiration;
    const old =
      noncurrent !== undefined &&
      becameOldMs !== undefined &&
      rank > noncurrent.keep &&
      afterDays(becameOldMs, noncurrent.days, job.dayMs) <= job.clock.now() &&
      (version.deleteMarker || (await hasTags(job.engine, name, rule)));
    if (!lonely && !old) continue;
    const deleted = await unlessGone(async () => job.engine.delete(name, {}));
    if (deleted !== undefined) job.count(lonely ? "markers" : "noncurrent");
    return;
  }
}

async function sweepUploads(
  job: LifecycleJob,
  bucket: Bucket,
  rules: readonly LifecycleRule[],
): Promise<void> {
  let from: { afterKey: string; afterUploadId: string | undefined } = {
    afterKey: "",
    afterUploadId: undefined,
  };
  for (;;) {
    const ask = { prefix: "", delimiter: "", limit: PAGE, ...from };
    const page = await job.engine.listUploads(bucket, ask);
    for (const { key, uploadId, initiatedMs } of page.uploads) {
      const due = rules.some(
        ({ abortDays, filter }) =>
          abortDays !== undefined &&
          key.startsWith(filter.prefix) &&
          afterDays(initiatedMs, abortDays, job.dayMs) <= job.clock.now(),
      );
      if (!due) continue;
      const name = { bucket, key: objectKey(key), uploadId };
      const aborted = await unlessGone(async () => {
        await job.engine.abortUpload(name);
        return true;
      });
      if (aborted === true) job.count("uploads");
    }
    if (page.next === undefined) return;
    from = { afterKey: page.next.key, afterUploadId: page.next.uploadId };
    await job.clock.sleep(BREATH_MS, job.signal);
  }
}

/** undefined when the object was changed or removed by somebody else first. */
async function unlessGone<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof S3Error) return undefined;
    throw cause;
  }
}
