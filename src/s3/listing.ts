import { invalidArgument, S3Error } from "#base/error.ts";
import { escapeXml, tag, wrap } from "#base/xml.ts";
import type { Bucket } from "#object/bucket.ts";
import type { ListedObject } from "#object/engine.ts";
import { isoDate } from "#s3/iso-date.ts";
import type { S3Request } from "#s3/request.ts";

export const LIST_KEYS_MAX = 1_000;

/** How a key stands in the XML of a list, escaped: as it is, or percent-encoded. */
export type KeyWriter = (key: string) => string;

/** Fails: InvalidArgument for an encoding other than url. */
export function readEncoding({ query }: S3Request): "url" | undefined {
  const encoding = query.get("encoding-type");
  if (encoding === undefined) return undefined;
  if (encoding.toLowerCase() === "url") return "url";
  throw invalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
}

export function keyWriter(encoding: "url" | undefined): KeyWriter {
  return encoding === undefined ? escapeXml : encodeKey;
}

/**
 * Percent-encoding as in lists: a slash stays; a space is %20, which every client's decoder reads. Nothing
 * is left of what XML would have escaped.
 */
function encodeKey(key: string): string {
  if (/^[A-Za-z0-9_.\-/*]*$/.test(key)) return key;
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/")
    .replaceAll("%2A", "*");
}

/** A continuation token says where the last page ended; it means nothing to a client. */
export function writeToken(last: string): string {
  return Buffer.from(`1:${last}`).toString("base64url");
}

/**
 * Differs: ListObjectsV2 of AWS refuses an empty one, which ListBuckets takes as none; here both do.
 * Fails: InvalidArgument.
 */
export function readToken(token: string | undefined): string | undefined {
  if (token === undefined || token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString("utf8");
  if (text.startsWith("1:")) return text.slice(2);
  throw invalidArgument(
    "continuation-token",
    token,
    "The continuation token provided is incorrect",
  );
}

export interface ListOwner {
  readonly id: string;
  readonly displayName: string;
}

/** The organization that a bucket belongs to. */
export function ownerOf({ ownerId, organizationId }: Bucket): ListOwner {
  return { id: ownerId, displayName: organizationId };
}

export function ownerElement(owner: ListOwner): string {
  return wrap("Owner", tag("ID", owner.id) + tag("DisplayName", owner.displayName));
}

/** The hot loop of a list: values that cannot hold a special character are not escaped. */
export function contentsWriter(
  writeKey: KeyWriter,
  owner: string,
): (object: ListedObject) => string {
  // Mostly as those of the object before; a text of fewer pieces is made faster.
  let [algorithm, type, checksum]: (string | undefined)[] = [undefined, undefined, ""];
  return (object) => {
    if (object.checksumAlgorithm !== algorithm || object.checksumType !== type) {
      [algorithm, type] = [object.checksumAlgorithm, object.checksumType];
      checksum = checksumElements(object);
    }
    return `<Contents><Key>${writeKey(object.key)}</Key><LastModified>${isoDate(object.modifiedMs)}</LastModified><ETag>&quot;${object.etag}&quot;</ETag>${checksum}<Size>${object.sizeBytes}</Size>${owner}<StorageClass>${object.storageClass}</StorageClass></Contents>`;
  };
}

/** Empty for an object without a checksum. */
export function checksumElements({
  checksumAlgorithm,
  checksumType,
}: Pick<ListedObject, "checksumAlgorithm" | "checksumType">): string {
  if (checksumAlgorithm === undefined) return "";
  return tag("ChecksumAlgorithm", checksumAlgorithm) + tag("ChecksumType", checksumType ?? "");
}

export function prefixElements(prefixes: readonly string[], writeKey: KeyWriter): string[] {
  return prefixes.map((prefix) => wrap("CommonPrefixes", wrap("Prefix", writeKey(prefix))));
}

/**
 * Where a list goes on behind a marker that the client chose. Behind one below a common prefix nothing of that
 * prefix is shown any more.
 *
 * Observed: 2026-02-21, as others recorded AWS: of ListObjects, ListObjectVersions and ListMultipartUploads.
 */
export function behind(
  marker: string,
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter: string },
): string {
  if (delimiter === "" || !marker.startsWith(prefix)) return marker;
  const cut = marker.indexOf(delimiter, prefix.length);
  return cut < 0 ? marker : marker.slice(0, cut + delimiter.length);
}

/** Fails: InvalidArgument for a marker that could never be a key. */
export function readMarker(request: S3Request, name: string): string {
  const marker = request.query.get(name) ?? "";
  if (Buffer.byteLength(marker) > 1_024) {
    throw new S3Error("InvalidArgument", { ArgumentName: name, ArgumentValue: marker });
  }
  return marker;
}
