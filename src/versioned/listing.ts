import { invalidArgument } from "#base/error.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type {
  ListAsk,
  ListedObject,
  ListedVersion,
  ListPage,
  UploadInfo,
  UploadsAsk,
  UploadsPage,
  VersionsAsk,
  VersionsPage,
} from "#object/engine.ts";
import { type Head, isMarkerAt, unpackHead } from "#versioned/head.ts";
import { HeadBatch } from "#versioned/head-batch.ts";
import {
  afterKey,
  afterPrefix,
  closedSpan,
  headKey,
  headSpan,
  type Span,
  uploadKey,
  uploadSpan,
  versionKey,
  versionSpan,
} from "#versioned/keys.ts";
import { sequenceOf } from "#versioned/record.ts";
import { RollUp } from "#versioned/roll-up.ts";
import { UploadBatch } from "#versioned/upload-batch.ts";
import { VersionScan } from "#versioned/version-scan.ts";
import { type Walked, walk } from "#versioned/walk.ts";

/** Their records carry metadata and tags. */
const RECORDS_AT_ONCE = 256;

/** Current versions in key order. A page reads one record of 56 bytes for each key it shows. */
export async function listHeads(meta: MetaStore, bucket: Bucket, ask: ListAsk): Promise<ListPage> {
  const prefixEnd = (prefix: string) => afterPrefix(headKey(bucket.id, prefix));
  const resumed = rolledUp(ask, ask.after)
    ? prefixEnd(ask.after)
    : afterKey(headKey(bucket.id, ask.after));
  const stem = headKey(bucket.id, "");
  const leaveOut = RollUp.ofHeads(ask)?.leavingOut(isMarkerAt);
  const packed = { keyFrom: stem.length, leaveOut };
  const page = await walk<ListedObject>({
    ...ask,
    span: later(headSpan(bucket.id, ask.prefix), ask.after === "" ? undefined : resumed),
    scan: async (range) => new HeadBatch(await meta.scanPacked({ ...range, ...packed }), stem),
    prefixEnd,
  });
  const next = tokenOf(page, ({ key }) => key);
  return { objects: page.items, prefixes: page.prefixes, next: next?.key };
}

/** Every version in key order, the newest of a key first. */
export async function listVersions(
  meta: MetaStore,
  bucket: Bucket,
  ask: VersionsAsk,
): Promise<VersionsPage> {
  const prefixEnd = (prefix: string) => closedSpan("v", bucket.id, prefix).to;
  const head = await markedHead(meta, bucket, ask);
  let previous = ask.afterVersionId === undefined ? undefined : ask.afterKey;
  const versions = new VersionScan(meta, {
    bucketId: bucket.id,
    rollUps: [RollUp.ofClosed("v", ask), RollUp.ofHeads(ask)],
    isLatest: (key, sequence) => {
      const isFirst = key !== previous;
      previous = key;
      // Within a page the first of a key is its newest; where a page goes on, only the head tells.
      return isFirst || head?.sequence === sequence;
    },
  });
  const page = await walk<ListedVersion>({
    ...ask,
    batchMax: RECORDS_AT_ONCE,
    span: later(closedSpan("v", bucket.id, ask.prefix), versionsFrom(bucket, ask, head)),
    scan: async (range) => await versions.batch(range),
    prefixEnd,
  });
  const next = tokenOf(page, ({ key }) => key);
  return {
    versions: page.items,
    prefixes: page.prefixes,
    next: next && { key: next.key, versionId: next.item?.place },
  };
}

/** Unfinished uploads in key order, the oldest of a key first. */
export async function listUploads(
  meta: MetaStore,
  bucket: Bucket,
  ask: UploadsAsk,
): Promise<UploadsPage> {
  const prefixEnd = (prefix: string) => closedSpan("u", bucket.id, prefix).to;
  const stem = closedSpan("u", bucket.id, "").from;
  const leaveOut = RollUp.ofClosed("u", ask)?.leavingOut();
  const packed = { keyFrom: stem.length, leaveOut };
  const page = await walk<UploadInfo>({
    ...ask,
    batchMax: RECORDS_AT_ONCE,
    span: later(closedSpan("u", bucket.id, ask.prefix), uploadsFrom(bucket, ask)),
    scan: async (range) => new UploadBatch(await meta.scanPacked({ ...range, ...packed }), stem),
    prefixEnd,
  });
  const next = tokenOf(page, ({ key }) => key);
  return {
    uploads: page.items,
    prefixes: page.prefixes,
    next: next && { key: next.key, uploadId: next.item?.uploadId },
  };
}

/** Whether `after` is itself a common prefix of this list: then all below it was shown as one. */
function rolledUp(
  { prefix, delimiter }: Pick<ListAsk, "prefix" | "delimiter">,
  after: string,
): boolean {
  return (
    delimiter !== "" &&
    after.startsWith(prefix) &&
    after.endsWith(delimiter) &&
    after.indexOf(delimiter, prefix.length) === after.length - delimiter.length
  );
}

/** Of the key that a page goes on with. */
async function markedHead(
  meta: MetaStore,
  bucket: Bucket,
  { afterKey: key, afterVersionId }: VersionsAsk,
): Promise<Head | undefined> {
  if (afterVersionId === undefined) return undefined;
  const entry = await meta.get(headKey(bucket.id, key));
  return entry === undefined ? undefined : unpackHead(entry.value);
}

function versionsFrom(
  bucket: Bucket,
  ask: VersionsAsk,
  head: Head | undefined,
): Buffer | undefined {
  if (ask.afterKey === "") return undefined;
  if (ask.afterVersionId === undefined) {
    if (rolledUp(ask, ask.afterKey)) return closedSpan("v", bucket.id, ask.afterKey).to;
    return versionSpan(bucket.id, ask.afterKey).to;
  }
  const sequence = markedSequence(ask.afterVersionId, head);
  // A null version that is gone cannot be placed: rather all of its key again than some of it never.
  if (sequence === undefined) return versionSpan(bucket.id, ask.afterKey).from;
  return afterKey(versionKey(bucket.id, ask.afterKey, sequence));
}

/** undefined for a null version that is not there. Fails: InvalidArgument. */
function markedSequence(versionId: string, head: Head | undefined): number | undefined {
  if (versionId === "null") return head?.isNull === true ? head.sequence : head?.nullSequence;
  const sequence = sequenceOf(versionId);
  if (sequence !== undefined) return sequence;
  throw invalidArgument("version-id-marker", versionId, "Invalid version id specified");
}

function uploadsFrom(bucket: Bucket, ask: UploadsAsk): Buffer | undefined {
  if (ask.afterKey === "") return undefined;
  if (ask.afterUploadId !== undefined) {
    return afterKey(uploadKey(bucket.id, ask.afterKey, ask.afterUploadId));
  }
  if (rolledUp(ask, ask.afterKey)) return closedSpan("u", bucket.id, ask.afterKey).to;
  return uploadSpan(bucket.id, ask.afterKey).to;
}

function tokenOf<Item>(
  { next }: Walked<Item>,
  keyOf: (item: Item) => string,
): { readonly key: string; readonly item: Item | undefined } | undefined {
  if (next === undefined) return undefined;
  return "prefix" in next
    ? { key: next.prefix, item: undefined }
    : { key: keyOf(next.item), item: next.item };
}

function later(span: Span, from: Buffer | undefined): Span {
  return from === undefined || Buffer.compare(from, span.from) < 0 ? span : { ...span, from };
}
