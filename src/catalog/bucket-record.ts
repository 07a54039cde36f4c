import { digestOf } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import { packRecord, unpackRecord } from "#base/json-record.ts";
import type { Entry } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";

/** What is stored of a bucket, under its name. */
export type BucketRecord = Omit<Bucket, "name" | "guard" | "ownerId">;

const ID = /^[0-9a-f]{16}$/;

export function packBucket(record: BucketRecord): Buffer {
  return packRecord(record);
}

/** Fails: StorageError "corrupt", which names the bucket. */
export function bucketOf(name: BucketName, { key, value, revision }: Entry): Bucket {
  const record = unpack(name, value);
  const ownerId = canonicalIdOf(record.organizationId);
  return { ...record, ownerId, name, guard: { key, revision } };
}

/** An organization as S3 shows owners. */
export function canonicalIdOf(organizationId: string): string {
  return digestOf("SHA256", Buffer.from(`lode/${organizationId}`)).toString("hex");
}

function unpack(name: BucketName, value: Uint8Array): BucketRecord {
  const message = `the record of bucket "${name}" cannot be read`;
  let stored: unknown;
  try {
    stored = unpackRecord(value);
  } catch (cause) {
    throw new StorageError("corrupt", message, cause);
  }
  if (!isStored(stored)) throw new StorageError("corrupt", `${message}: it is none`);
  return stored;
}

function isStored(stored: unknown): stored is BucketRecord {
  if (typeof stored !== "object" || stored === null) return false;
  const { id, organizationId, region, createdMs, versioning, volume } = stored as Partial<
    Record<string, unknown>
  >;
  return (
    typeof id === "string" &&
    ID.test(id) &&
    typeof organizationId === "string" &&
    typeof region === "string" &&
    Number.isFinite(createdMs) &&
    (versioning === undefined || versioning === "Enabled" || versioning === "Suspended") &&
    (volume === undefined || isVolume(volume))
  );
}

function isVolume(volume: unknown): boolean {
  return (
    typeof volume === "object" &&
    volume !== null &&
    "path" in volume &&
    typeof volume.path === "string"
  );
}
