import type { Log } from "#base/log.ts";
import { bucketsIn, type Catalog } from "#catalog/catalog.ts";
import { eachBucket } from "#catalog/each-bucket.ts";
import type { JobPlace } from "#catalog/job-place.ts";
import type { Organizations } from "#catalog/organizations.ts";
import type { BucketName } from "#object/name.ts";
import { type Drift, type Recounting, recountBucket, recountZones } from "#versioned/recount.ts";

/** What counting again works with. */
export interface Recounter extends Recounting {
  readonly catalog: Catalog;
  /** Told what was wrong, and has been put right. */
  readonly found: (drift: Drift) => void;
  /** Told what could not be counted; the rest is counted unless it throws. */
  readonly failed: (what: string, cause: unknown) => void;
}

export interface RecountJob extends Recounter {
  readonly organizations: Organizations;
  readonly place: JobPlace<RecountPlace>;
  /** A name of this process that no other has. */
  readonly holder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** How far it is. Only what JSON can carry, for it is remembered. */
export interface RecountPlace {
  /** undefined while it is under way. */
  readonly endedMs?: number | undefined;
  /** The last bucket that has been counted; "" for none. */
  readonly afterBucket: string;
}

const EVERY_MS = 7 * 24 * 60 * 60 * 1_000;
const LOOK_MS = 60 * 60 * 1_000;
/** Whoever counts one bucket for longer is taken for dead. */
const LEASE_MS = 60 * 60 * 1_000;
const ATTEMPTS_MAX = 3;
const AT_ONCE = 100;

/**
 * Counts all usage again, at the first start, since an older release counted less, and then weekly, until
 * the signal.
 */
export async function runRecount(job: RecountJob): Promise<void> {
  const { clock, signal, log } = job;
  while (!signal.aborted) {
    try {
      await recountWhenDue(job);
    } catch (cause) {
      if (signal.aborted) return;
      log.error("counting usage again failed; it will be tried again", cause);
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** Counts unless it is too early or somebody else does; what was cut short goes on where it was. */
export async function recountWhenDue(job: RecountJob): Promise<void> {
  const { clock, place: jobPlace, holder } = job;
  const last = await jobPlace.read();
  if (last?.endedMs !== undefined && !isDue(last.endedMs, clock.now())) return;
  const held = await jobPlace.take(holder, LEASE_MS);
  if (held === undefined) return;
  let place: RecountPlace = { afterBucket: "" };
  if (held.place?.endedMs === undefined) place = held.place ?? place;
  try {
    const from = place.afterBucket;
    const isWhole = await recountBuckets(job, { from }, async (afterBucket) => {
      place = { afterBucket };
      return await held.save(place);
    });
    if (!isWhole) return;
    await recountOrganizations(job);
    place = { afterBucket: "", endedMs: clock.now() };
  } finally {
    await held.release(place);
  }
}

/** One that ended later than now did so before the clock was set back. */
function isDue(endedMs: number, nowMs: number): boolean {
  return nowMs < endedMs || nowMs >= endedMs + EVERY_MS;
}

/** One bucket, and the zones of its organization. Fails: NoSuchBucket. */
export async function recountOne(recounter: Recounter, name: BucketName): Promise<void> {
  const { organizationId } = await recounter.catalog.bucket(name);
  await recountNamed(recounter, name);
  await recountZonesOf(recounter, organizationId);
}

/** All buckets of an organization, and its zones. */
export async function recountOrganization(
  recounter: Recounter,
  organizationId: string,
): Promise<void> {
  await recountBuckets(recounter, { organizationId, from: "" }, async () => true);
  await recountZonesOf(recounter, organizationId);
}

interface Which {
  /** Of all when it is absent. */
  readonly organizationId?: string;
  /** Only those after this one. */
  readonly from: string;
}

/** `onBucket` is told each; false stops it, and is what it resolves to then. */
async function recountBuckets(
  recounter: Recounter,
  { organizationId, from }: Which,
  onBucket: (name: BucketName) => Promise<boolean>,
): Promise<boolean> {
  for await (const { name } of eachBucket(recounter.catalog, { organizationId, after: from })) {
    await recountNamed(recounter, name);
    if (!(await onBucket(name))) return false;
  }
  return true;
}

/** A bucket that is gone is none. */
async function recountNamed(recounter: Recounter, name: BucketName): Promise<void> {
  await recounted(recounter, `bucket ${name}`, async () => {
    const bucket = await recounter.catalog.find(name);
    return bucket === undefined ? [] : await recountBucket(recounter, bucket);
  });
}

async function recountOrganizations(job: RecountJob): Promise<void> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const ids = await job.organizations.ids({ after, limit: AT_ONCE });
    for (const id of ids) await recountZonesOf(job, id);
    after = ids.length < AT_ONCE ? undefined : ids.at(-1);
  }
}

async function recountZonesOf(recounter: Recounter, organizationId: string): Promise<void> {
  const count = async () =>
    await recountZones(recounter, organizationId, (view) => bucketsIn(view, organizationId));
  await recounted(recounter, `organization ${organizationId}`, count);
}

async function recounted(
  { found, failed, signal }: Recounter,
  what: string,
  count: () => Promise<readonly Drift[] | undefined>,
): Promise<void> {
  try {
    for (const drift of await atLast(count)) found(drift);
  } catch (cause) {
    signal?.throwIfAborted();
    failed(what, cause);
  }
}

/** Fails: Error, when others came in between each time. */
async function atLast(
  count: () => Promise<readonly Drift[] | undefined>,
): Promise<readonly Drift[]> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const drifts = await count();
    if (drifts !== undefined) return drifts;
  }
  throw new Error("it was changed by others each time that it was counted");
}
