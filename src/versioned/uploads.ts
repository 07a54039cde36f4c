import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { unpackCounter } from "#meta/counter.ts";
import type { Add, Guard } from "#meta/store.ts";
import type { CustomerKey } from "#object/encryption.ts";
import type {
  KeyName,
  PartInfo,
  PartsAsk,
  PartsPage,
  UploadInfo,
  UploadInput,
  UploadName,
} from "#object/engine.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { type EncryptionRecord, type Lock, lockOf, newLock } from "#versioned/encryption.ts";
import { ID_BYTES, partCounterKey, partKey, partNumberOf, uploadKey } from "#versioned/keys.ts";
import { garbageWrite } from "#versioned/plan.ts";
import { type PartRecord, packJson, type UploadRecord, unpackJson } from "#versioned/record.ts";
import { commitDecision, type Stores } from "#versioned/store.ts";
import { addUsage, requireRoom, type UsageChange } from "#versioned/usage.ts";

/** An upload as it was read, and what must still be true of it at a commit. */
export interface FoundUpload {
  readonly info: UploadInfo;
  readonly guard: Guard;
  readonly encryption: EncryptionRecord | undefined;
}

const TIME_HEX_DIGITS = 12;
const SHAPE = /^[0-9a-f]{32}$/;

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export async function createUpload(
  stores: Stores,
  { bucket, key }: KeyName,
  input: UploadInput,
): Promise<UploadInfo> {
  const initiatedMs = stores.clock.now();
  // Begins with the time, so that the uploads of a key sort by age.
  const time = initiatedMs.toString(16).padStart(TIME_HEX_DIGITS, "0");
  const uploadId = time + randomHex(ID_BYTES - TIME_HEX_DIGITS / 2);
  const { attributes, algorithm, checksumType, room } = input;
  const { storageClass } = attributes;
  // Where not a byte fits, no part ever would.
  await requireRoom(stores.meta, bucket, { storageClass, sizeBytes: 1, room });
  const encryption = newLock(stores.keyring, input.encryption)?.record;
  const record: UploadRecord = { attributes, algorithm, checksumType, initiatedMs, encryption };
  const recordKey = uploadKey(bucket.id, key, uploadId);
  await commitDecision(stores, bucket, async () => ({
    change: {
      guards: [bucket.guard, { key: recordKey, revision: 0 }],
      writes: [{ key: recordKey, value: packJson(record) }],
      adds: addUsage(bucket, [{ storageClass, uploads: 1 }]),
    },
    outcome: undefined,
  }));
  return infoOfUpload(record, { key, uploadId });
}

/** Fails: NoSuchUpload. */
export async function findUpload({ meta }: Stores, name: UploadName): Promise<FoundUpload> {
  const { bucket, key, uploadId } = name;
  const recordKey = SHAPE.test(uploadId) ? uploadKey(bucket.id, key, uploadId) : undefined;
  const entry = recordKey === undefined ? undefined : await meta.get(recordKey);
  if (entry === undefined) throw new S3Error("NoSuchUpload", { UploadId: uploadId });
  const record = unpackJson<UploadRecord>(entry.value);
  return {
    info: infoOfUpload(record, { key, uploadId }),
    guard: { key: entry.key, revision: entry.revision },
    encryption: record.encryption,
  };
}

export function infoOfUpload(
  record: UploadRecord,
  { key, uploadId }: { readonly key: string; readonly uploadId: string },
): UploadInfo {
  const { attributes, algorithm, checksumType, initiatedMs, encryption } = record;
  return {
    key,
    uploadId,
    attributes,
    algorithm,
    checksumType,
    initiatedMs,
    encryption: encryption?.kind,
  };
}

/**
 * What the parts of an upload are encrypted under.
 *
 * Fails: InvalidRequest when the key is not the one that the upload was created with, or when one is
 * missing or out of place.
 */
export function uploadLock(
  { keyring }: Stores,
  { encryption }: FoundUpload,
  key: CustomerKey | undefined,
): Lock | undefined {
  if (encryption?.kind === "SSE-C" && key === undefined) throw notAsCreated(KEY_MISSING);
  try {
    return lockOf(keyring, encryption, key);
  } catch (cause) {
    throw cause instanceof S3Error ? notAsCreated(KEY_DIFFERS, cause) : cause;
  }
}

/**
 * Where the parts of an upload are listed or completed nothing is opened: the key must come along when the
 * upload has a checksum algorithm, for checksums tell of the bytes, and is the right one whenever it comes.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 * Fails: as uploadLock.
 */
export function requireUploadKey(
  stores: Stores,
  upload: FoundUpload,
  key: CustomerKey | undefined,
): void {
  if (key !== undefined || upload.info.algorithm !== undefined) uploadLock(stores, upload, key);
}

const KEY_MISSING =
  "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const KEY_DIFFERS = "The provided encryption parameters did not match the ones used originally.";

function notAsCreated(message: string, cause?: S3Error): S3Error {
  return new S3Error("InvalidRequest", {}, { message, cause });
}

export async function abortUpload(stores: Stores, name: UploadName): Promise<void> {
  await commitDecision(stores, name.bucket, async () => {
    const upload = await findUpload(stores, name);
    const { guard } = upload;
    const garbage = { contentId: name.uploadId, blobs: [], parts: "all" } as const;
    const { bytes, guard: counterGuard } = await partCounter(stores, name.uploadId);
    return {
      change: {
        guards: [name.bucket.guard, guard, counterGuard],
        writes: [
          { key: guard.key, value: undefined },
          { key: counterGuard.key, value: undefined },
          garbageWrite(garbage, stores.clock.now()),
        ],
        adds: addUsage(name.bucket, [usageOfEnd(upload, bytes)]),
      },
      outcome: undefined,
    };
  });
}

/** What an upload takes along when it ends. */
export function usageOfEnd({ info }: FoundUpload, partBytes: number): UsageChange {
  return { storageClass: info.attributes.storageClass, uploads: -1, partBytes: -partBytes };
}

/** Counts commits and bytes of an upload's parts, so that its end can guard against a new part. */
export function addParts(uploadId: string, bytes: number): Add {
  return { key: partCounterKey(uploadId), amounts: [1, bytes] };
}

export async function partCounter(
  { meta }: Stores,
  uploadId: string,
): Promise<{ readonly bytes: number; readonly guard: Guard }> {
  const key = partCounterKey(uploadId);
  const entry = await meta.get(key);
  const [, bytes = 0] = entry === undefined ? [] : unpackCounter(entry.value);
  return { bytes, guard: { key, revision: entry?.revision ?? 0 } };
}

/** Parts in order of their numbers. */
export async function scanParts(
  { meta }: Stores,
  uploadId: string,
  ask: PartsAsk,
): Promise<PartRecord[]> {
  const from = partKey(uploadId, ask.afterNumber + 1);
  const to = partKey(uploadId, PART_NUMBER_MAX + 1);
  const entries = await meta.scan({ from, to, limit: ask.limit });
  return entries.map(({ key, value }) => ({
    ...unpackJson<PartRecord>(value),
    number: partNumberOf(key),
  }));
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export async function listParts(
  stores: Stores,
  name: UploadName,
  ask: PartsAsk,
): Promise<PartsPage> {
  const upload = await findUpload(stores, name);
  requireUploadKey(stores, upload, ask.key);
  const { info } = upload;
  const parts = await scanParts(stores, name.uploadId, { ...ask, limit: ask.limit + 1 });
  return {
    upload: info,
    parts: parts.slice(0, ask.limit).map((part) => partInfo(part, info.algorithm)),
    truncated: parts.length > ask.limit,
  };
}

export function partInfo(part: PartRecord, algorithm: ChecksumAlgorithm | undefined): PartInfo {
  const value = algorithm === undefined ? undefined : part.checksums[algorithm];
  return {
    number: part.number,
    sizeBytes: part.sizeBytes,
    etag: part.md5,
    modifiedMs: part.modifiedMs,
    checksum: algorithm === undefined || value === undefined ? undefined : { algorithm, value },
  };
}
