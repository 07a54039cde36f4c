import type { Clock } from "#base/clock.ts";
import type { BlobStore } from "#blob/store.ts";
import type { ReadCounts } from "#check/blob-sums.ts";
import { type BlobCounts, BlobReader, countBlobs } from "#check/blobs.ts";
import { checkBuckets } from "#check/buckets.ts";
import { checkContent } from "#check/contents.ts";
import { checkControl } from "#check/control.ts";
import { Extents } from "#check/extents.ts";
import { checkGarbage, checkHolds } from "#check/garbage.ts";
import { HeadMerge } from "#check/heads.ts";
import { checkHeld } from "#check/held.ts";
import { type Findings, Found, type Mending } from "#check/problem.ts";
import { checkUploads } from "#check/uploads.ts";
import { checkUsage, UsageSums } from "#check/usage.ts";
import { nameOf, versionsIn } from "#check/walk.ts";
import type { MetaStore, MetaView } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import { usageOfVersion } from "#versioned/plan.ts";

export interface CheckOptions extends Mending {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Others write meanwhile. */
  readonly isServed: boolean;
  /** Reads every blob, at most so fast; undefined: none. */
  readonly checksumBytesPerSecond: number | undefined;
  readonly progress: (what: string, done: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface CheckReport {
  readonly counts: BlobCounts & {
    readonly buckets: number;
    /** Of users, keys, policies and settings. */
    readonly control: number;
    readonly keys: number;
    readonly versions: number;
    readonly uploads: number;
    readonly extents: number;
    readonly references: number;
    readonly garbage: number;
  };
  /** What was read to compare sums. */
  readonly read: ReadCounts | undefined;
  readonly problems: readonly Findings[];
}

const PROGRESS_EVERY = 10_000;

/**
 * Looks whether all that stands in the two stores fits together: every record has what it names, and
 * everything is named by a record.
 *
 * It reads one snapshot in order, several times, and holds in memory: the buckets, the blobs of one content,
 * 1.3 MB of sums by which large sets are compared, and where these differ 200,000 items at a time. Whatever
 * is mended is a guarded commit, so that it may run beside a server.
 */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const found = new Found(options);
  const counts = await checkRecords(options, found);
  const read = await readBlobs(options, found);
  return { counts, read, problems: found.findings };
}

async function checkRecords(options: CheckOptions, found: Found): Promise<CheckReport["counts"]> {
  const { meta, blobs, clock, progress, signal } = options;
  using view = meta.snapshot();
  const extents = new Extents(options, found);
  const run: Run = { ...options, view, found, extents, sums: new UsageSums() };
  progress("buckets", 0);
  const buckets = await checkBuckets(run);
  progress("users, keys and policies", 0);
  const control = await checkControl(run, buckets);
  const counts = await checkVersions(run, buckets);
  progress("uploads", 0);
  const uploads = await checkUploads(run, buckets);
  progress("garbage", 0);
  const garbage = await checkGarbage(run);
  await checkHolds(run);
  progress("references", 0);
  const references = await checkHeld(run);
  progress("usage", 0);
  await checkUsage({ ...run, buckets }, run.sums);
  progress("blobs", 0);
  const blobCounts = await countBlobs({ meta, blobs, clock, found, signal }, view);
  return {
    ...{ ...counts, ...blobCounts, buckets: buckets.size, control, uploads, references, garbage },
    extents: extents.extents,
  };
}

interface Run extends CheckOptions {
  readonly view: MetaView;
  readonly found: Found;
  readonly extents: Extents;
  readonly sums: UsageSums;
}

async function checkVersions(run: Run, buckets: ReadonlyMap<string, Bucket>) {
  const { meta, view, found, extents, sums, progress, signal, checksumBytesPerSecond } = run;
  const heads = await HeadMerge.begin(meta, view, found);
  const checksums = checksumBytesPerSecond !== undefined;
  let versions = 0;
  for await (const version of versionsIn(view)) {
    signal?.throwIfAborted();
    versions += 1;
    if (versions % PROGRESS_EVERY === 0) progress("versions", versions);
    const { entry } = version;
    if (!("value" in version)) {
      const where = `version ${Buffer.from(entry.key).toString("hex")}: ${version.unreadable}`;
      await found.problem({ kind: "unreadable-record", where });
      const name = nameOf(entry);
      if (name !== undefined) await heads.unreadable(name.bucketId, name.key);
      continue;
    }
    const { value } = version;
    await heads.version(entry, value);
    await requireBucket(run, buckets, value);
    sums.add(value.bucketId, usageOfVersion(value.record, 1));
    await checkContent({ view, found, extents, checksums }, value);
  }
  await heads.end();
  return { keys: heads.heads, versions };
}

async function requireBucket(
  { found }: Run,
  buckets: ReadonlyMap<string, Bucket>,
  { bucketId, key }: { readonly bucketId: string; readonly key: string },
): Promise<void> {
  if (buckets.has(bucketId)) return;
  await found.problem({ kind: "bucket-missing", where: `bucket ${bucketId}, key ${key}` });
}

async function readBlobs(options: CheckOptions, found: Found): Promise<ReadCounts | undefined> {
  const { checksumBytesPerSecond, progress, signal } = options;
  if (checksumBytesPerSecond === undefined) return undefined;
  progress("checksums", 0);
  const reader = new BlobReader({ ...options, found, signal }, checksumBytesPerSecond);
  await reader.readAll();
  return reader.counts;
}
