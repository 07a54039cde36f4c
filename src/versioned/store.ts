import type { Clock } from "#base/clock.ts";
import { invalidArgument, S3Error, StorageError } from "#base/error.ts";
import type { Keyring } from "#base/keyring.ts";
import { randomBelow } from "#base/random.ts";
import { after, type Soon } from "#base/soon.ts";
import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import type { BlobId, BlobStore } from "#blob/store.ts";
import type { Change, MetaStore } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { KeyName, ObjectName } from "#object/engine.ts";
import { type Head, unpackHead } from "#versioned/head.ts";
import { headKey, manifestKey, versionKey, versionSpan } from "#versioned/keys.ts";
import type { Discarded, KeyState, StoredVersion } from "#versioned/plan.ts";
import {
  type Content,
  type Extent,
  type Manifest,
  sequenceOf,
  unpackJson,
  unpackVersion,
  versionIdOf,
} from "#versioned/record.ts";

/** What the versioned engine is made of. */
export interface Stores {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly limits: EngineLimits;
  /** What SSE-S3 encrypts under. */
  readonly keyring: Keyring;
}

export interface EngineLimits {
  /** Objects up to this size live in their record. */
  readonly inlineBytesMax: number;
  /** The least size of a part that is not the last. */
  readonly partBytesMin: number;
}

/** Attempts before a contended key answers SlowDown. */
const COMMIT_ATTEMPTS_MAX = 100;
/** From this attempt on, writers step out of each other's way. */
const PATIENT_ATTEMPT = 3;
const BACKOFF_MS_MAX = 10;
/** A reader that loses its version between two reads this often has bad luck indeed. */
const READ_ATTEMPTS_MAX = 20;

/** A version found by name. */
export interface FoundVersion extends StoredVersion {
  readonly inline: Uint8Array;
  readonly versionId: string | undefined;
}

export function keyState({ meta }: Stores, { bucket, key }: KeyName): Soon<KeyState> {
  return after(meta.get(headKey(bucket.id, key)), (entry) =>
    entry === undefined ? NO_KEY : { head: unpackHead(entry.value), revision: entry.revision },
  );
}

const NO_KEY: KeyState = { head: undefined, revision: 0 };

/**
 * The version that a name means, which is no delete marker.
 * Fails: NoSuchKey, NoSuchVersion, MethodNotAllowed, InvalidArgument.
 */
export function findVersion(stores: Stores, name: ObjectName): Soon<FoundVersion> {
  return find(stores, name, READ_ATTEMPTS_MAX);
}

function find(stores: Stores, name: ObjectName, attempts: number): Soon<FoundVersion> {
  if (attempts === 0) throw new S3Error("SlowDown", {});
  return after(keyState(stores, name), ({ head }) => {
    const sequence = namedSequence(name, head);
    if (sequence === undefined) throw missing(name, head);
    return after(loadVersion(stores, name, sequence), (found) => {
      if (found === undefined) {
        // Without a version id it was there a moment ago and has just been replaced: look again.
        if (name.versionId !== undefined) throw noSuchVersion(name);
        return find(stores, name, attempts - 1);
      }
      if (found.record.deleteMarker) throw markerNotAllowed(name, found);
      return found;
    });
  });
}

export function loadVersion(
  { meta }: Stores,
  { bucket, key }: KeyName,
  sequence: number,
): Soon<FoundVersion | undefined> {
  return after(meta.get(versionKey(bucket.id, key, sequence)), (entry) => {
    if (entry === undefined) return undefined;
    const { record, inline } = unpackVersion(entry.value);
    return { sequence, record, inline, versionId: publicVersionId(bucket, { sequence, record }) };
  });
}

/** The version that goes when `sequence` does: from the head alone when no blob is involved. */
export async function discarded(
  stores: Stores,
  name: KeyName,
  which: { readonly head: Head | undefined; readonly sequence: number },
): Promise<Discarded | undefined> {
  const { head, sequence } = which;
  if (head !== undefined && head.sequence === sequence && head.inline) {
    const { deleteMarker, sizeBytes, storageClass } = head;
    const attributes = { storageClass };
    const content = { kind: "inline" } as const;
    return { sequence, record: { deleteMarker, sizeBytes, attributes, content } };
  }
  return await loadVersion(stores, name, sequence);
}

/** The newest version older than `sequence`. */
export async function nextOlder(
  { meta }: Stores,
  { bucket, key }: KeyName,
  sequence: number,
): Promise<StoredVersion | undefined> {
  const { to } = versionSpan(bucket.id, key);
  const from = Buffer.concat([versionKey(bucket.id, key, sequence), Buffer.from([0])]);
  const [entry] = await meta.scan({ from, to, limit: 1 });
  if (entry === undefined) return undefined;
  const at = entry.key.length - STAMP_BYTES;
  return {
    sequence: readStamp(Buffer.from(entry.key), at),
    record: unpackVersion(entry.value).record,
  };
}

/** undefined in a bucket that never kept versions. */
export function publicVersionId(
  bucket: Bucket,
  {
    sequence,
    record,
  }: Pick<StoredVersion, "sequence"> & {
    readonly record: { readonly isNull: boolean };
  },
): string | undefined {
  return bucket.versioning === undefined ? undefined : versionIdOf(sequence, record.isNull);
}

/** The sequence of the version a name means; undefined when there is none. Fails: InvalidArgument. */
export function namedSequence(
  { bucket, versionId }: ObjectName,
  head: Head | undefined,
): number | undefined {
  if (versionId === undefined)
    return head === undefined || head.deleteMarker ? undefined : head.sequence;
  if (versionId === "null") return head?.isNull === true ? head.sequence : head?.nullSequence;
  const sequence = sequenceOf(versionId);
  if (sequence === undefined) {
    throw invalidArgument("versionId", versionId, "Invalid version id specified");
  }
  // The sequence of a null version is not its name.
  const isNull = bucket.versioning === undefined || sequence === head?.nullSequence;
  return isNull || (head?.isNull === true && head.sequence === sequence) ? undefined : sequence;
}

export async function extentsOf(stores: Stores, content: Content): Promise<readonly Extent[]> {
  switch (content.kind) {
    case "inline":
      return [];
    case "extents":
      return content.extents;
    case "manifest":
      return (await manifestOf(stores, content.id)).parts.flatMap(({ extents }) => extents);
  }
}

/** Fails: StorageError "corrupt". */
export async function manifestOf({ meta }: Stores, contentId: string): Promise<Manifest> {
  const entry = await meta.get(manifestKey(contentId));
  if (entry === undefined) throw new StorageError("corrupt", `manifest ${contentId} is missing`);
  return unpackJson<Manifest>(entry.value);
}

/** What was read did not fit together: another writer came between two reads. */
export const AGAIN = Symbol("again");

/**
 * Decides and commits, again for as long as other writers come first.
 * Fails: NoSuchBucket, OperationAborted, SlowDown, and as `decide` and the store fail.
 */
export async function commitDecision<T>(
  { meta, clock }: Stores,
  bucket: Bucket,
  decide: (
    attempt: number,
  ) => Promise<{ readonly change: Change | undefined; readonly outcome: T } | typeof AGAIN>,
): Promise<{ readonly sequence: number; readonly outcome: T }> {
  for (let attempt = 0; attempt < COMMIT_ATTEMPTS_MAX; attempt += 1) {
    if (attempt >= PATIENT_ATTEMPT) await clock.sleep(1 + randomBelow(BACKOFF_MS_MAX));
    const decided = await decide(attempt);
    if (decided === AGAIN) continue;
    const { change, outcome } = decided;
    if (change === undefined) return { sequence: 0, outcome };
    const sequence = await meta.commit(change);
    if (sequence !== undefined) return { sequence, outcome };
    await requireBucket(meta, bucket);
  }
  throw new S3Error("SlowDown", {});
}

/**
 * Commits what refers to new blobs. When it is certain that nothing was committed, they go at once; when
 * the outcome is unknown they stay for the orphan job to look at.
 */
export async function keepingNoOrphan<T>(
  { blobs }: Stores,
  made: readonly BlobId[],
  commit: () => Promise<T>,
): Promise<T> {
  try {
    return await commit();
  } catch (cause) {
    const refused = cause instanceof S3Error;
    const full = cause instanceof StorageError && cause.kind === "full";
    if (refused || full) for (const blob of made) await blobs.remove(blob);
    throw cause;
  }
}

async function requireBucket(meta: MetaStore, { guard, name }: Bucket): Promise<void> {
  const entry = await meta.get(guard.key);
  if (entry === undefined) throw new S3Error("NoSuchBucket", { BucketName: name });
  if (entry.revision !== guard.revision) throw new S3Error("OperationAborted", {});
}

function missing(name: ObjectName, head: Head | undefined): S3Error {
  if (name.versionId !== undefined) return noSuchVersion(name);
  if (head === undefined) return new S3Error("NoSuchKey", { Key: name.key });
  const headers = markerHeaders(name.bucket, head);
  return new S3Error("NoSuchKey", { Key: name.key }, { headers });
}

function noSuchVersion({ key, versionId = "" }: ObjectName): S3Error {
  return new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html */
function markerNotAllowed({ bucket }: KeyName, found: FoundVersion): S3Error {
  const headers = {
    ...markerHeaders(bucket, { sequence: found.sequence, isNull: found.record.isNull }),
    "last-modified": new Date(found.record.modifiedMs).toUTCString(),
    allow: "DELETE",
  };
  return new S3Error(
    "MethodNotAllowed",
    { Method: "GET", ResourceType: "DeleteMarker" },
    { headers },
  );
}

function markerHeaders(
  bucket: Bucket,
  { sequence, isNull }: Pick<Head, "sequence" | "isNull">,
): Record<string, string> {
  const versionId = publicVersionId(bucket, { sequence, record: { isNull } });
  return {
    "x-amz-delete-marker": "true",
    ...(versionId === undefined ? {} : { "x-amz-version-id": versionId }),
  };
}
