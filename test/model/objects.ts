import {
  bucketOf,
  currentOf,
  find,
  lay,
  nameOf,
  removeVersion,
  requireShape,
  versionsOf,
  type World,
} from "#test/model/bucket.ts";
import type { Answer, CallOf } from "#test/model/call.ts";
import {
  requireDelete,
  requireDestination,
  requireSource,
  requireWrite,
} from "#test/model/conditions.ts";
import { Refusal } from "#test/model/refusal.ts";
import { fullChecksum, infoOf, marker, md5 } from "#test/model/version.ts";

export function put(world: World, call: CallOf<"put">): Answer {
  const { key, attributes, conditions } = call;
  const bucket = bucketOf(world, call);
  requireWrite(conditions, currentOf(bucket, key));
  if (call.wrong !== undefined) throw new Refusal("BadDigest");
  const bytes = Buffer.from(call.bytes);
  const version = lay(world, bucket, {
    ...{ key, bytes, etag: md5(bytes), modifiedMs: world.nowMs, attributes, isMarker: false },
    checksum: fullChecksum(call.algorithm ?? "CRC64NVME", bytes),
    ...{ parts: undefined, uploadId: undefined },
  });
  return infoOf(key, version, nameOf(bucket, version));
}

export function remove(world: World, call: CallOf<"delete">): Answer {
  const { key, versionId, conditions } = call;
  const bucket = bucketOf(world, call);
  const versions = versionsOf(bucket, key);
  requireDelete(conditions, versions[0]);
  if (versionId !== undefined) {
    requireShape(versionId);
    const gone = versions.find(({ id }) => id === versionId);
    removeVersion(bucket, { bucket: call.bucket, key, versionId });
    return { deleteMarker: gone?.isMarker === true, versionId };
  }
  if (bucket.versioning === undefined) {
    bucket.versions.delete(key);
    return { deleteMarker: false, versionId: undefined };
  }
  const { id, ...laid } = lay(world, bucket, { key, ...marker("", world.nowMs) });
  return { deleteMarker: laid.isMarker, versionId: id };
}

/** A copy has the class that is asked for, and its parts and tag from the source. */
export function copy(world: World, call: CallOf<"copy">): Answer {
  const [bucket, from] = [bucketOf(world, call), bucketOf(world, call.source)];
  const source = find(world, call.source);
  requireSource(call.sourceConditions, source);
  requireWrite(call.conditions, currentOf(bucket, call.key));
  const { algorithm } = call;
  const { checksum } = source;
  const isOfWhole = checksum?.type === "FULL_OBJECT" && checksum.algorithm === algorithm;
  const same = algorithm === undefined || isOfWhole;
  const version = lay(world, bucket, {
    ...source,
    key: call.key,
    modifiedMs: world.nowMs,
    attributes: call.attributes ?? { ...source.attributes, storageClass: "STANDARD" },
    checksum: same ? source.checksum : fullChecksum(algorithm, source.bytes),
    uploadId: undefined,
  });
  const sourceVersionId = nameOf(from, source);
  return { object: infoOf(call.key, version, nameOf(bucket, version)), sourceVersionId };
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html */
export function rename(world: World, call: CallOf<"rename">): Answer {
  const bucket = bucketOf(world, call);
  if (bucket.versioning !== undefined) throw new Refusal("InvalidBucketState");
  const { key, source, conditions, sourceConditions, token } = call;
  const asked = JSON.stringify([key, source, conditions, sourceConditions]);
  const before = bucket.tokens.get(token ?? "");
  if (before?.asked === asked) return { etag: before.etag };
  if (before !== undefined) throw new Refusal("IdempotencyParameterMismatch");
  const moved = currentOf(bucket, source);
  if (moved === undefined) throw new Refusal("NoSuchKey");
  requireSource(sourceConditions, moved);
  requireDestination(conditions, currentOf(bucket, key));
  bucket.versions.delete(source);
  bucket.versions.set(key, [moved]);
  if (token !== undefined) bucket.tokens.set(token, { asked, etag: moved.etag });
  return { etag: moved.etag };
}

export function setTags(world: World, call: CallOf<"setTags">): Answer {
  const bucket = bucketOf(world, call);
  const found = find(world, call);
  const tagged = { ...found, attributes: { ...found.attributes, tags: call.tags } };
  const versions = versionsOf(bucket, call.key);
  bucket.versions.set(
    call.key,
    versions.map((each) => (each === found ? tagged : each)),
  );
  return infoOf(call.key, tagged, nameOf(bucket, tagged));
}
