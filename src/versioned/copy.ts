import { type ChecksumAlgorithm, hasher } from "#base/checksum.ts";
import { randomHex } from "#base/random.ts";
import {
  type Attributes,
  type Checksum,
  copiedMetadata,
  type StorageClass,
} from "#object/attributes.ts";
import { requireForWrite } from "#object/conditions.ts";
import type { CopyInput, CopyOutcome, KeyName } from "#object/engine.ts";
import { etagDigits, type Lock, newLock, relocked } from "#versioned/encryption.ts";
import { ID_BYTES } from "#versioned/keys.ts";
import { type NewVersion, validatorsOf } from "#versioned/plan.ts";
import { contentOf, receive } from "#versioned/receive.ts";
import type { Content, VersionRecord } from "#versioned/record.ts";
import { type Source, sourceBody, sourceGuard, withSource } from "#versioned/source.ts";
import { keepingNoOrphan, keyState, manifestOf, type Stores } from "#versioned/store.ts";
import { requireRoom } from "#versioned/usage.ts";
import { makeVersion } from "#versioned/write.ts";

const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

/**
 * A new version over the source's blobs: no byte moves, whatever the size, unless the one is
 * encrypted and the other is not. The source's record is guarded, so that its blobs cannot be thrown
 * away before the new references stand.
 *
 * Differs: the ETag, the parts and the checksum of a source that was uploaded in parts are kept,
 * where AWS makes an object of one part; making one would mean to read every byte. For the same reason
 * a copy that leaves SSE-C for SSE-S3 keeps its ETag, where AWS answers the MD5.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(
  stores: Stores,
  name: KeyName,
  input: CopyInput,
): Promise<CopyOutcome> {
  const { source: from, sourceConditions, sourceKey } = input;
  const ask = { name: from, conditions: sourceConditions, key: sourceKey };
  return await withSource(stores, ask, async (source) => copyFrom(stores, name, { input, source }));
}

async function copyFrom(
  stores: Stores,
  name: KeyName,
  { input, source }: { readonly input: CopyInput; readonly source: Source },
): Promise<CopyOutcome> {
  const { conditions, room } = input;
  const before = await keyState(stores, name);
  requireForWrite(conditions, validatorsOf(before.head), name.key);
  const { sizeBytes } = source.found.record;
  const storageClass = classOf(input.attributes);
  await requireRoom(stores.meta, name.bucket, { storageClass, sizeBytes, room });
  const copying = { name, input, lock: copyLock(stores, source, input.encryption) };
  const shares = (source.lock === undefined) === (copying.lock === undefined);
  const version = await (shares ? sharing : rewriting)(stores, source, copying);
  // Only a rewritten copy has blobs that nobody else holds.
  const made = shares ? [] : version.newReferences;
  const object = await keepingNoOrphan(stores, made, async () =>
    makeVersion(stores, name, {
      version,
      conditions,
      before,
      room,
      beside: async () => await sourceGuard(stores, source),
    }),
  );
  return { object, sourceVersionId: source.found.versionId };
}

interface Copying {
  readonly name: KeyName;
  readonly input: CopyInput;
  /** Of the copy. */
  readonly lock: Lock | undefined;
}

/** Over encrypted bytes it opens the seals that are there. */
function copyLock(
  { keyring }: Stores,
  { lock }: Source,
  encryption: CopyInput["encryption"],
): Lock | undefined {
  if (encryption === undefined || lock === undefined) return newLock(keyring, encryption);
  return relocked(keyring, encryption, lock);
}

async function sharing(stores: Stores, source: Source, copying: Copying): Promise<NewVersion> {
  const { record, inline } = source.found;
  const { content } = record;
  const id = randomHex(ID_BYTES);
  const manifest = content.kind === "manifest" ? await manifestOf(stores, content.id) : undefined;
  const inContent = content.kind === "extents" ? content.extents : [];
  const extents = manifest?.parts.flatMap((part) => part.extents) ?? inContent;
  const copied: VersionRecord = {
    ...record,
    ...copiedFields(stores, source, copying),
    md5: copiedDigits(record, copying.lock),
    checksum: await checksumOf(stores, source, copying.input.algorithm),
    content: withId(content, id),
  };
  const newReferences = [...new Set(extents.map(({ blob }) => blob))];
  return { record: copied, inline, manifest: manifest && { parts: manifest.parts }, newReferences };
}

async function rewriting(stores: Stores, source: Source, copying: Copying): Promise<NewVersion> {
  const { record } = source.found;
  const algorithm = copying.input.algorithm ?? record.checksum?.algorithm ?? DEFAULT_ALGORITHM;
  const body = sourceBody(stores, source, { from: 0, to: record.sizeBytes });
  const received = await receive(body, stores.blobs, {
    inlineBytesMax: stores.limits.inlineBytesMax,
    algorithms: [algorithm],
    lock: copying.lock,
  });
  const value = received.checksums[algorithm] ?? "";
  const copied: VersionRecord = {
    ...record,
    ...copiedFields(stores, source, copying),
    md5: received.md5,
    partsCount: 0,
    checksum: { algorithm, type: "FULL_OBJECT", value },
    content: contentOf(received),
  };
  const newReferences = received.blob === undefined ? [] : [received.blob.id];
  return { record: copied, inline: received.inline, newReferences };
}

function copiedFields(stores: Stores, source: Source, { name, input, lock }: Copying) {
  const { record } = source.found;
  return {
    isNull: name.bucket.versioning !== "Enabled",
    modifiedMs: stores.clock.now(),
    attributes: attributesOf(record.attributes, input.attributes),
    encryption: lock?.record,
  };
}

/** Under SSE-C they are no MD5 that would have to be hidden. */
function copiedDigits({ md5, encryption }: VersionRecord, lock: Lock | undefined): string {
  return encryption?.kind === "SSE-C" ? md5 : etagDigits(Buffer.from(md5, "hex"), lock);
}

/** Inline bytes have no holder that could have an id. */
function withId(content: Content, id: string): Content {
  return content.kind === "inline" ? content : { ...content, id };
}

/** The source's own, or one of the whole that is asked for: only then a copy reads the bytes. */
async function checksumOf(
  stores: Stores,
  source: Source,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<Checksum | undefined> {
  const { checksum, sizeBytes } = source.found.record;
  const isOfWhole = checksum?.type === "FULL_OBJECT" && checksum.algorithm === algorithm;
  if (algorithm === undefined || isOfWhole) return checksum;
  const sum = hasher(algorithm);
  const body = sourceBody(stores, source, { from: 0, to: sizeBytes });
  for await (const chunk of body.chunks) sum.update(chunk);
  return { algorithm, type: "FULL_OBJECT", value: sum.digest().toString("base64") };
}

function attributesOf(source: Attributes, asked: CopyInput["attributes"]): Attributes {
  return {
    ...copiedMetadata(source, asked),
    tags: asked.tags ?? source.tags,
    storageClass: classOf(asked),
  };
}

/** As on AWS, a copy has the class that is asked for, not the source's. */
function classOf({ storageClass }: CopyInput["attributes"]): StorageClass {
  return storageClass ?? "STANDARD";
}
