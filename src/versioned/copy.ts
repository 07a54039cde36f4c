import { type ChecksumAlgorithm, hasher } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import type { Attributes, Checksum } from "#object/attributes.ts";
import { type ConditionNames, requireConditions, requireForWrite } from "#object/conditions.ts";
import type { CopyInput, CopyOutcome, KeyName, ObjectName } from "#object/engine.ts";
import { readExtents } from "#versioned/content.ts";
import { etagOf } from "#versioned/head.ts";
import { ID_BYTES, versionKey } from "#versioned/keys.ts";
import { type NewVersion, validatorsOf } from "#versioned/plan.ts";
import type { Content, Extent, VersionRecord } from "#versioned/record.ts";
import {
  type FoundVersion,
  findVersion,
  keyState,
  manifestOf,
  type Stores,
} from "#versioned/store.ts";
import { type Beside, makeVersion } from "#versioned/write.ts";

export const COPY_SOURCE_NAMES: ConditionNames = {
  ifMatch: "x-amz-copy-source-If-Match",
  ifNoneMatch: "x-amz-copy-source-If-None-Match",
  ifModifiedSince: "x-amz-copy-source-If-Modified-Since",
  ifUnmodifiedSince: "x-amz-copy-source-If-Unmodified-Since",
};

/**
 * A new version over the source's blobs: no byte moves, whatever the size. The source's record is
 * guarded, so that its blobs cannot be thrown away before the new references stand.
 *
 * Differs: the ETag, the parts and the checksum of a source that was uploaded in parts are kept,
 * where AWS makes an object of one part; making one would mean to read every byte.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(
  stores: Stores,
  name: KeyName,
  input: CopyInput,
): Promise<CopyOutcome> {
  const found = await findVersion(stores, input.source);
  const validators = { etag: etagOf(found.record), modifiedMs: found.record.modifiedMs };
  requireConditions(input.sourceConditions, validators, COPY_SOURCE_NAMES);
  const before = await keyState(stores, name);
  requireForWrite(input.conditions, validatorsOf(before.head), name.key);
  const object = await makeVersion(stores, name, {
    version: await copyOf(stores, found, { name, input }),
    conditions: input.conditions,
    before,
    beside: async () => await sourceGuard(stores, input.source, found),
  });
  return { object, sourceVersionId: found.versionId };
}

/** Fails: NoSuchKey when the source has gone meanwhile, for it may have taken its blobs along. */
export async function sourceGuard(
  { meta }: Stores,
  source: ObjectName,
  found: FoundVersion,
): Promise<Beside> {
  const key = versionKey(source.bucket.id, source.key, found.sequence);
  const entry = await meta.get(key);
  if (entry === undefined) throw new S3Error("NoSuchKey", { Key: source.key });
  return { guards: [{ key, revision: entry.revision }] };
}

async function copyOf(
  stores: Stores,
  found: FoundVersion,
  { name, input }: { readonly name: KeyName; readonly input: CopyInput },
): Promise<NewVersion> {
  const { record } = found;
  const id = randomHex(ID_BYTES);
  const manifest =
    record.content.kind === "manifest" ? await manifestOf(stores, record.content.id) : undefined;
  const extents = manifest?.parts.flatMap((part) => part.extents) ?? inRecord(record.content);
  const copied: VersionRecord = {
    ...record,
    isNull: name.bucket.versioning !== "Enabled",
    modifiedMs: stores.clock.now(),
    attributes: attributesOf(record.attributes, input.attributes),
    checksum: await checksumOf(stores, found, { extents, algorithm: input.algorithm }),
    content: record.content.kind === "inline" ? record.content : { ...record.content, id },
  };
  const newReferences = [...new Set(extents.map(({ blob }) => blob))];
  return { record: copied, inline: found.inline, manifest, newReferences };
}

/** The source's own, or one that is asked for: only then a copy reads the bytes. */
async function checksumOf(
  { blobs }: Stores,
  { record, inline }: FoundVersion,
  ask: { readonly extents: readonly Extent[]; readonly algorithm: ChecksumAlgorithm | undefined },
): Promise<Checksum | undefined> {
  const { algorithm, extents } = ask;
  if (algorithm === undefined || algorithm === record.checksum?.algorithm) return record.checksum;
  const sum = hasher(algorithm);
  if (record.content.kind === "inline") sum.update(inline);
  const range = { from: 0, to: record.sizeBytes };
  for await (const chunk of readExtents(blobs, extents, range)) sum.update(chunk);
  return { algorithm, type: "FULL_OBJECT", value: sum.digest().toString("base64") };
}

function inRecord(content: Content): readonly Extent[] {
  return content.kind === "extents" ? content.extents : [];
}

function attributesOf(source: Attributes, asked: CopyInput["attributes"]): Attributes {
  return {
    headers: asked.metadata?.headers ?? source.headers,
    userMetadata: asked.metadata?.userMetadata ?? source.userMetadata,
    tags: asked.tags ?? source.tags,
    // As on AWS, a copy has the class that is asked for, not the source's.
    storageClass: asked.storageClass ?? "STANDARD",
  };
}
