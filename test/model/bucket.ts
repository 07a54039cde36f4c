import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Attributes, ChecksumType } from "#object/attributes.ts";
import type { Versioning } from "#object/bucket.ts";
import type { Answer, Which } from "#test/model/call.ts";
import { Refusal } from "#test/model/refusal.ts";
import type { Part, Version } from "#test/model/version.ts";

export interface ModelBucket {
  versioning: Versioning;
  /** Of each key, the newest first; never empty. */
  readonly versions: Map<string, Version[]>;
  uploads: ModelUpload[];
  /** What a client token named, and the tag it was answered. */
  readonly tokens: Map<string, { readonly asked: string; readonly etag: string }>;
}

export interface World {
  readonly buckets: Map<string, ModelBucket>;
  readonly nowMs: number;
  /** What the store answered: where its free choices stand. */
  readonly answer: Answer;
}

export interface ModelUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedMs: number;
  readonly attributes: Attributes;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly parts: Map<number, Part>;
}

export function bucketOf({ buckets }: World, { bucket }: { readonly bucket: string }): ModelBucket {
  const found = buckets.get(bucket);
  if (found === undefined) throw new Refusal("NoSuchBucket");
  return found;
}

export function versionsOf({ versions }: ModelBucket, key: string): readonly Version[] {
  return versions.get(key) ?? [];
}

/** undefined when there is none, or a delete marker lies on it. */
export function currentOf(bucket: ModelBucket, key: string): Version | undefined {
  const newest = versionsOf(bucket, key)[0];
  return newest?.isMarker ? undefined : newest;
}

/** Makes `version` the current one; where versions are not kept, the null version goes. */
export function lay(
  { answer }: World,
  bucket: ModelBucket,
  { key, ...version }: Omit<Version, "id"> & { readonly key: string },
): Version {
  const id = bucket.versioning === "Enabled" ? fresh(bucket, answer) : "null";
  const laid = { ...version, id };
  const kept = versionsOf(bucket, key).filter((each) => each.id !== id);
  bucket.versions.set(key, [laid, ...kept]);
  return laid;
}

/** Buckets that never kept versions name none. */
export function nameOf({ versioning }: ModelBucket, { id }: Version): string | undefined {
  return versioning === undefined ? undefined : id;
}

/** Fails: NoSuchKey, NoSuchVersion, MethodNotAllowed, InvalidArgument. */
export function find(world: World, which: Which): Version {
  const bucket = bucketOf(world, which);
  const { key, versionId } = which;
  if (versionId !== undefined) requireShape(versionId);
  const found =
    versionId === undefined
      ? currentOf(bucket, key)
      : versionsOf(bucket, key).find(({ id }) => id === versionId);
  if (found?.isMarker === true) throw new Refusal("MethodNotAllowed");
  if (found !== undefined) return found;
  throw new Refusal(versionId === undefined ? "NoSuchKey" : "NoSuchVersion");
}

export function removeVersion({ versions }: ModelBucket, { key, versionId }: Which): void {
  const left = (versions.get(key) ?? []).filter(({ id }) => id !== versionId);
  if (left.length === 0) versions.delete(key);
  else versions.set(key, left);
}

/** Ids that were never given are malformed; "null" is one that every bucket knows. */
export function requireShape(versionId: string): void {
  if (versionId === "null" || /^[0-9a-f]{16}$/.test(versionId)) return;
  throw new Refusal("InvalidArgument");
}

/** The name the store gave; none may come twice. */
function fresh({ versions }: ModelBucket, answer: Answer): string {
  const id = "object" in answer ? chosen(answer["object"]) : chosen(answer);
  const known = [...versions.values()].flat().some((version) => version.id === id);
  return known ? `${id}, given before` : id;
}

function chosen(answer: unknown): string {
  const { versionId } = (answer ?? {}) as { readonly versionId?: unknown };
  return typeof versionId === "string" && /^[0-9a-f]{16}$/.test(versionId) ? versionId : "none";
}
