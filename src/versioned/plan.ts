import { randomHex } from "#base/random.ts";
import { STAMP_BYTES } from "#base/stamp.ts";
import type { BlobId } from "#blob/store.ts";
import type { Change, Write } from "#meta/store.ts";
import type { Attributes } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Validators } from "#object/conditions.ts";
import type { KeyName } from "#object/engine.ts";
import type { Room } from "#object/usage.ts";
import { etagOf, HEAD_STAMP_AT, type Head, packHead } from "#versioned/head.ts";
import {
  garbageKey,
  headKey,
  ID_BYTES,
  manifestKey,
  referenceKey,
  versionKey,
} from "#versioned/keys.ts";
import {
  type Content,
  type GarbageRecord,
  type Manifest,
  packJson,
  packVersion,
  type VersionRecord,
} from "#versioned/record.ts";
import { addUsage, type UsageChange } from "#versioned/usage.ts";

/** What a key is at the moment of a decision. */
export interface KeyState {
  readonly head: Head | undefined;
  /** 0 when there is no head. */
  readonly revision: number;
}

export interface StoredVersion {
  readonly sequence: number;
  readonly record: VersionRecord;
}

/** What must be known of a version to throw it away. */
export interface Discarded {
  readonly sequence: number;
  readonly record: Pick<VersionRecord, "deleteMarker" | "sizeBytes" | "content"> & {
    readonly attributes: Pick<Attributes, "storageClass">;
  };
}

/** A version to be made. */
export interface NewVersion {
  readonly record: VersionRecord;
  readonly inline: Uint8Array | undefined;
  readonly manifest?: Manifest | undefined;
  /** Blobs whose references the commit makes. */
  readonly newReferences: readonly BlobId[];
}

/** What conditions of a write are held against. */
export function validatorsOf(head: Head | undefined): Validators | undefined {
  if (head === undefined || head.deleteMarker) return undefined;
  return { etag: etagOf(head), modifiedMs: head.modifiedMs };
}

/**
 * The version that a write without a version id replaces: none where versions are kept, the null
 * version where they are not.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
 */
export function replacedSequence(bucket: Bucket, head: Head | undefined): number | undefined {
  if (bucket.versioning === "Enabled" || head === undefined) return undefined;
  return head.isNull ? head.sequence : head.nullSequence;
}

export interface PlanVersion {
  readonly version: NewVersion;
  readonly replaced: Discarded | undefined;
  readonly nowMs: number;
  /** What else the commit changes in the usage. */
  readonly usage?: readonly UsageChange[] | undefined;
  readonly room?: Room | undefined;
}

/** Makes `version` the current one. `replaced` is what `replacedSequence` named. */
export function planVersion(name: KeyName, state: KeyState, change: PlanVersion): Change {
  const { bucket, key } = name;
  const { version, replaced, nowMs, usage = [], room } = change;
  const { record } = version;
  const recordKey = versionKey(bucket.id, key);
  const head = headOf(record, { sequence: 0, nullSequence: olderNull(bucket, state.head) });
  const writes: Write[] = [
    { key: headKey(bucket.id, key), value: packHead(head), stampValueAt: HEAD_STAMP_AT },
    {
      key: recordKey,
      ...packVersion(record, version.inline),
      stampKeyAt: recordKey.length - STAMP_BYTES,
    },
    ...contentWrites(version),
  ];
  if (replaced !== undefined) writes.push(...discardVersion(name, replaced, nowMs));
  const gone = replaced === undefined ? [] : [usageOfVersion(replaced.record, -1)];
  const changes = [usageOfVersion(record, 1), ...gone, ...usage];
  return { guards: guardsOf(name, state), writes, adds: addUsage(bucket, changes, room) };
}

/** Removes one version; `next` is the newest of those that stay, when the current one goes. */
export function planRemoval(
  name: KeyName,
  state: KeyState & { readonly head: Head },
  change: {
    readonly removed: Discarded;
    readonly next: StoredVersion | undefined;
    readonly nowMs: number;
  },
): Change {
  const { bucket, key } = name;
  const { removed, next, nowMs } = change;
  return {
    guards: guardsOf(name, state),
    writes: [
      { key: headKey(bucket.id, key), value: headAfterRemoval(state.head, removed, next) },
      ...discardVersion(name, removed, nowMs),
    ],
    adds: addUsage(bucket, [usageOfVersion(removed.record, -1)]),
  };
}

/** Replaces a version's record in place, as new tags do. The head is written to lock the key. */
export function planRewrite(
  name: KeyName,
  state: KeyState & { readonly head: Head },
  version: StoredVersion & { readonly inline: Uint8Array },
): Change {
  const { bucket, key } = name;
  return {
    guards: guardsOf(name, state),
    writes: [
      { key: headKey(bucket.id, key), value: packHead(state.head) },
      {
        key: versionKey(bucket.id, key, version.sequence),
        ...packVersion(version.record, version.inline),
      },
    ],
  };
}

export function guardsOf({ bucket, key }: KeyName, { revision }: KeyState): Change["guards"] {
  return [bucket.guard, { key: headKey(bucket.id, key), revision }];
}

export function headOf(
  record: VersionRecord,
  { sequence, nullSequence }: Pick<Head, "sequence" | "nullSequence">,
): Head {
  return {
    sequence,
    nullSequence,
    deleteMarker: record.deleteMarker,
    isNull: record.isNull,
    inline: record.content.kind === "inline",
    sizeBytes: record.sizeBytes,
    md5: record.md5,
    partsCount: record.partsCount,
    modifiedMs: record.modifiedMs,
    storageClass: record.attributes.storageClass,
    checksumAlgorithm: record.checksum?.algorithm,
    checksumType: record.checksum?.type,
  };
}

/** One entry that tells the collector what to throw away, under the time it was thrown away. */
export function garbageWrite(record: GarbageRecord, nowMs: number): Write {
  return { key: garbageKey(nowMs, randomHex(ID_BYTES)), value: packJson(record) };
}

function olderNull(bucket: Bucket, head: Head | undefined): number | undefined {
  if (bucket.versioning !== "Enabled" || head === undefined) return undefined;
  return head.isNull ? head.sequence : head.nullSequence;
}

function headAfterRemoval(
  head: Head,
  removed: Discarded,
  next: StoredVersion | undefined,
): Buffer | undefined {
  const nullSequence = removed.sequence === head.nullSequence ? undefined : head.nullSequence;
  if (removed.sequence !== head.sequence) return packHead({ ...head, nullSequence });
  if (next === undefined) return undefined;
  return packHead(
    headOf(next.record, {
      sequence: next.sequence,
      nullSequence: next.record.isNull ? undefined : nullSequence,
    }),
  );
}

function contentWrites({ record, manifest, newReferences }: NewVersion): Write[] {
  const { content } = record;
  if (content.kind === "inline") return [];
  const writes: Write[] = newReferences.map((blob) => ({
    key: referenceKey(blob, content.id),
    value: Buffer.alloc(0),
  }));
  if (manifest !== undefined) {
    writes.push({ key: manifestKey(content.id), value: packJson(manifest) });
  }
  return writes;
}

/** The writes that take a version away, now in the lists and later on the disk. */
export function discardVersion(name: KeyName, version: Discarded, nowMs: number): Write[] {
  const removal: Write = {
    key: versionKey(name.bucket.id, name.key, version.sequence),
    value: undefined,
  };
  const garbage = garbageOf(version.record.content);
  return garbage === undefined ? [removal] : [removal, garbageWrite(garbage, nowMs)];
}

function garbageOf(content: Content): GarbageRecord | undefined {
  switch (content.kind) {
    case "inline":
      return undefined;
    case "manifest":
      return { contentId: content.id, blobs: [], manifest: true };
    case "extents":
      return { contentId: content.id, blobs: content.extents.map(({ blob }) => blob) };
  }
}

/** What a version that comes (1) or goes (-1) changes. */
export function usageOfVersion(
  { deleteMarker, sizeBytes, attributes }: Discarded["record"],
  sign: 1 | -1,
): UsageChange {
  const { storageClass } = attributes;
  if (deleteMarker) return { storageClass, deleteMarkers: sign };
  return { storageClass, versions: sign, bytes: sign * sizeBytes };
}
