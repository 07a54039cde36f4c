import { type ModelBucket, nameOf, versionsOf } from "#test/model/bucket.ts";
import type { Shown, View } from "#test/model/call.ts";
import { uploadOf } from "#test/model/uploads.ts";
import { infoOf, partOf, type Version } from "#test/model/version.ts";

/** Everything that lists and reads show of a bucket, in their order. */
export function viewOf(bucket: ModelBucket): View {
  const keys = [...bucket.versions.keys()].sort(byBytes);
  const versions = keys.flatMap((key) =>
    versionsOf(bucket, key).map((version, at) => ({ key, version, isLatest: at === 0 })),
  );
  const uploads = [...bucket.uploads].sort(
    (a, b) => byBytes(a.key, b.key) || a.initiatedMs - b.initiatedMs,
  );
  const newest = versions.filter(({ isLatest }) => isLatest);
  return {
    keys: newest.map(({ key, version }) => ({
      key,
      read: version.isMarker ? { refused: "NoSuchKey" } : readOf(bucket, key, version),
    })),
    objects: newest
      .filter(({ version }) => !version.isMarker)
      .map(({ key, version }) => listed(key, version)),
    versions: versions.map(({ key, version, isLatest }) => ({
      ...listed(key, version),
      ...{ versionId: version.id, isLatest, deleteMarker: version.isMarker },
      read: version.isMarker ? { refused: "MethodNotAllowed" } : readOf(bucket, key, version),
    })),
    uploads: uploads.map((upload) => ({
      ...uploadOf(upload),
      parts: [...upload.parts.values()]
        .sort((a, b) => a.number - b.number)
        .map((part) => partOf(part, upload.algorithm)),
    })),
  };
}

/** Keys come in the order of their UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function listed(key: string, version: Version): Shown {
  const { bytes, etag, modifiedMs, attributes, checksum, isMarker } = version;
  return {
    ...{ key, sizeBytes: bytes.length, modifiedMs, storageClass: attributes.storageClass },
    etag: isMarker ? undefined : etag,
    ...{ checksumAlgorithm: checksum?.algorithm, checksumType: checksum?.type },
  };
}

function readOf(bucket: ModelBucket, key: string, version: Version): Shown {
  const { bytes, etag, modifiedMs, parts, checksum } = version;
  const whole = { number: 1, sizeBytes: bytes.length, etag, modifiedMs, checksum: undefined };
  return {
    info: infoOf(key, version, nameOf(bucket, version)),
    bytes: bytes.toString("base64"),
    parts: parts?.map((part) => partOf(part, checksum?.algorithm)) ?? [whole],
  };
}
