import { asBuffer } from "#base/bytes.ts";
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
import { EntryBatch } from "#versioned/entry-batch.ts";
import { type Head, unpackHead } from "#versioned/head.ts";
import { HeadBatch } from "#versioned/head-batch.ts";
import {
  afterKey,
  afterPrefix,
  closedSpan,
  headKey,
  headSpan,
  openClosedKey,
  type Span,
  uploadKey,
  versionKey,
  versionSpan,
} from "#versioned/keys.ts";
import { sequenceOf, type UploadRecord, unpackJson } from "#versioned/record.ts";
import { infoOfUpload } from "#versioned/uploads.ts";
import { VersionScan } from "#versioned/version-batch.ts";
import { type Walked, walk } from "#versioned/walk.ts";

/** Their records carry the bytes of small objects. */
const VERSIONS_AT_ONCE = 32;

/** Current versions in key order. A page reads one record of 56 bytes for each key it shows. */
export async function listHeads(meta: MetaStore, bucket: Bucket, ask: ListAsk): Promise<ListPage> {
  const prefixEnd = (prefix: string) => afterPrefix(headKey(bucket.id, prefix));
  const resumed = rolledUp(ask, ask.after)
    ? prefixEnd(ask.after)
    : afterKey(headKey(bucket.id, ask.after));
  const stem = headKey(bucket.id, "");
  const page = await walk<ListedObject>({
    ...ask,
    span: later(headSpan(bucket.id, ask.prefix), ask.after === "" ? undefined : resumed),
    scan: async (range) =>
      new HeadBatch(await meta.scanPacked({ ...range, keyFrom: stem.length }), stem),
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
  const versions = new VersionScan(meta, bucket.id, (key, sequence) => {
    const isFirst = key !== previous;
    previous = key;
    // Within a page the first of a key is its newest; where a page goes on, only the head tells.
    return isFirst || head?.sequence === sequence;
  });
  const page = await walk<ListedVersion>({
    ...ask,
    batchMax: VERSIONS_AT_ONCE,
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
  const page = await walk<UploadInfo>({
    ...ask,
    span: later(closedSpan("u", bucket.id, ask.prefix), uploadsFrom(bucket, ask)),
    scan: async (range) =>
      new EntryBatch(await meta.scan(range), (entry, key) => {
        const uploadId = openClosedKey(asBuffer(entry.key)).rest.toString("hex");
        return infoOfUpload(unpackJson<UploadRecord>(entry.value), { key, uploadId });
      }),
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

/** undefined for a null version that is not there. */
function markedSequence(versionId: string, head: Head | undefined): number | undefined {
  if (versionId !== "null") return sequenceOf(versionId) ?? 1;
  return head?.isNull === true ? head.sequence : head?.nullSequence;
}

function uploadsFrom(bucket: Bucket, ask: UploadsAsk): Buffer | undefined {
  if (ask.afterKey === "") return undefined;
  if (ask.afterUploadId !== undefined) {
    return afterKey(uploadKey(bucket.id, ask.afterKey, ask.afterUploadId));
  }
  if (rolledUp(ask, ask.afterKey)) return closedSpan("u", bucket.id, ask.afterKey).to;
  return afterPrefix(uploadKey(bucket.id, ask.afterKey, ""));
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
