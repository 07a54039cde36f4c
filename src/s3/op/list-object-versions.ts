import { invalidArgument } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import type { ListedVersion } from "#object/engine.ts";
import { isoDate } from "#s3/iso-date.ts";
import { listReply } from "#s3/list-reply.ts";
import {
  behind,
  checksumElements,
  type KeyWriter,
  keyWriter,
  LIST_KEYS_MAX,
  ownerElement,
  ownerOf,
  prefixElements,
  readEncoding,
  readMarker,
} from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { bucketOf, countOf } from "#s3/request.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export const listObjectVersions = operation({
  name: "ListObjectVersions",
  route: { method: "GET", on: "bucket", query: ["versions"] },
  body: "none",

  parse: (request) => {
    const afterKey = readMarker(request, "key-marker");
    const version = request.query.get("version-id-marker") ?? "";
    if (version !== "" && afterKey === "") {
      throw invalidArgument(
        "version-id-marker",
        version,
        "A version-id marker cannot be specified without a key marker.",
      );
    }
    return {
      bucket: bucketOf(request),
      prefix: readMarker(request, "prefix"),
      delimiter: readMarker(request, "delimiter"),
      afterKey,
      afterVersionId: version === "" ? undefined : version,
      limit: countOf(request, "max-keys", { fallback: LIST_KEYS_MAX, max: LIST_KEYS_MAX }),
      encoding: readEncoding(request),
    };
  },

  grants: ({ bucket }) => [{ action: "s3:ListBucket", resource: bucket }],

  run: async ({ open }, ask) => {
    const { bucket, engine } = await open(ask.bucket);
    const afterKey = behind(ask.afterKey, ask);
    const inside = afterKey !== ask.afterKey;
    const from = inside ? { afterKey, afterVersionId: undefined } : {};
    const page = await engine.listVersions(bucket, { ...ask, ...from });
    return { page, owner: ownerOf(bucket) };
  },

  render: ({ page, owner }, ask) => {
    const writeKey = keyWriter(ask.encoding);
    const who = ownerElement(owner);
    const inner = [
      tag("Name", ask.bucket),
      wrap("Prefix", writeKey(ask.prefix)),
      wrap("KeyMarker", writeKey(ask.afterKey)),
      tag("VersionIdMarker", ask.afterVersionId ?? ""),
      page.next === undefined ? "" : wrap("NextKeyMarker", writeKey(page.next.key)),
      page.next?.versionId === undefined ? "" : tag("NextVersionIdMarker", page.next.versionId),
      tag("MaxKeys", ask.limit),
      ask.delimiter === "" ? "" : wrap("Delimiter", writeKey(ask.delimiter)),
      ask.encoding === undefined ? "" : tag("EncodingType", ask.encoding),
      tag("IsTruncated", page.next !== undefined),
      ...page.versions.map((version) => versionElement(version, writeKey, who)),
      ...prefixElements(page.prefixes, writeKey),
    ];
    return listReply("ListVersionsResult", inner);
  },
});

function versionElement(version: ListedVersion, writeKey: KeyWriter, who: string): string {
  const { key, versionId, isLatest, modifiedMs } = version;
  // What cannot hold a special character is not escaped.
  const name = `<Key>${writeKey(key)}</Key><VersionId>${versionId}</VersionId><IsLatest>${isLatest}</IsLatest><LastModified>${isoDate(modifiedMs)}</LastModified>`;
  if (version.deleteMarker) return `<DeleteMarker>${name}${who}</DeleteMarker>`;
  const { etag, sizeBytes, storageClass } = version;
  const content = `<ETag>&quot;${etag}&quot;</ETag>${checksumElements(version)}<Size>${sizeBytes}</Size><StorageClass>${storageClass}</StorageClass>`;
  return `<Version>${name}${content}${who}</Version>`;
}
