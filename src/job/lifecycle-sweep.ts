import { type Clock, restAfter } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import type { LifecycleMetrics } from "#base/metrics.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { eachBucket } from "#catalog/each-bucket.ts";
import { BUCKET_START, type BucketPlace, type Due, duePage } from "#job/lifecycle-page.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { type BucketName, objectKey } from "#object/name.ts";

/** What a sweep works with. */
export interface Sweeping {
  readonly catalog: Catalog;
  readonly engine: Engine;
  readonly clock: Clock;
  /** How long a day of a rule lasts: shorter in tests. */
  readonly dayMs: number;
  readonly metrics: LifecycleMetrics;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How far a sweep is. Only what JSON can carry, for it is remembered. */
export interface SweepPlace {
  readonly startedMs: number;
  /** undefined while it is under way. */
  readonly endedMs?: number | undefined;
  /** The last bucket that it has finished; "" for none. */
  readonly afterBucket: string;
  /** Where it is in the next one. */
  readonly bucket?: { readonly id: string; readonly place: BucketPlace } | undefined;
}

/** Told after each page; false stops the sweep: it is somebody else's now. */
type OnPlace = (place: SweepPlace) => Promise<boolean>;

const PAGE = 500;
/** So many removals share a sync of the disk. */
const AT_ONCE = 16;
/** Between pages, at the least. */
const BREATH_MS = 5;

/**
 * Carries out the rules of all buckets, from `from` on. A bucket that fails is left for the next
 * sweep. Resolves to where it is: at the end, or where it was stopped, by the signal or by `onPlace`.
 */
export async function sweep(
  sweeping: Sweeping,
  from: SweepPlace,
  onPlace: OnPlace,
): Promise<SweepPlace> {
  const { catalog, clock, metrics } = sweeping;
  let place = from;
  for await (const row of eachBucket(catalog, { after: place.afterBucket })) {
    const { name } = row;
    // One whose record cannot be read is read again below, which fails: it is told, and nothing is done there.
    const id = "damage" in row ? "" : row.bucket.id;
    const at = place.bucket?.id === id ? place.bucket.place : BUCKET_START;
    const onBucket = async (within: BucketPlace) => {
      place = { ...place, bucket: { id, place: within } };
      return await onPlace(place);
    };
    if (!(await sweepOrLeave(sweeping, { id, name, at, onBucket }))) return place;
    place = { ...place, bucket: undefined, afterBucket: name };
    metrics.buckets.inc();
  }
  return { ...place, endedMs: clock.now() };
}

interface BucketSweep {
  readonly id: string;
  readonly name: BucketName;
  readonly at: BucketPlace;
  readonly onBucket: (place: BucketPlace) => Promise<boolean>;
}

/** False when the sweep has to stop. */
async function sweepOrLeave(sweeping: Sweeping, swept: BucketSweep): Promise<boolean> {
  const { signal, metrics, log } = sweeping;
  try {
    return await sweepBucket(sweeping, swept);
  } catch (cause) {
    if (signal.aborted) return false;
    metrics.failures.inc();
    const message =
      "the lifecycle rules of a bucket could not be carried out; the next sweep tries again";
    log.error(message, cause, { bucket: swept.name });
    return true;
  }
}

async function sweepBucket(sweeping: Sweeping, swept: BucketSweep): Promise<boolean> {
  const { engine, clock, dayMs, metrics, signal } = sweeping;
  let place = swept.at;
  for (;;) {
    signal.throwIfAborted();
    const nowMs = clock.now();
    // Each time, so that rules that are changed or deleted meanwhile are obeyed at once.
    const found = await findRules(sweeping, swept);
    if (found === undefined) return true;
    const { due, examined, next } = await duePage(
      { ...found, engine, nowMs, dayMs, limit: PAGE },
      place,
    );
    metrics.examined.inc(examined);
    await carryOut(sweeping, found.bucket, due);
    if (next === undefined) return true;
    place = next;
    if (!(await swept.onBucket(place))) return false;
    if (examined > 0) await clock.sleep(restAfter(clock.now() - nowMs, BREATH_MS), signal);
  }
}

/** undefined when the bucket has no rules, or is gone. */
async function findRules({ catalog }: Sweeping, { id, name }: BucketSweep) {
  try {
    const bucket = await catalog.bucket(name);
    const rules = bucket.id === id ? await catalog.lifecycle(bucket) : [];
    return rules.length === 0 ? undefined : { bucket, rules };
  } catch (cause) {
    if (cause instanceof S3Error && cause.code === "NoSuchBucket") return undefined;
    throw cause;
  }
}

/** Those of one key after each other, for a key changes once at a time. */
async function carryOut(sweeping: Sweeping, bucket: Bucket, due: readonly Due[]): Promise<void> {
  const keys = [...Map.groupBy(due, ({ key }) => key).values()].values();
  const work = async () => {
    for (const group of keys) {
      for (const each of group) {
        sweeping.signal.throwIfAborted();
        await remove(sweeping, bucket, each);
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** Or leaves it for the next sweep, when somebody else changes it at this moment. */
async function remove({ engine, metrics }: Sweeping, bucket: Bucket, due: Due): Promise<void> {
  const { action, uploadId, versionId, conditions } = due;
  const name = { bucket, key: objectKey(due.key) };
  try {
    if (uploadId !== undefined) await engine.abortUpload({ ...name, uploadId });
    else await engine.delete(versionId === undefined ? name : { ...name, versionId }, conditions);
    metrics.actions.inc({ action });
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause;
    metrics.left.inc();
  }
}
