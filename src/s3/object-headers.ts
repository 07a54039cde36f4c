import { invalidArgument, S3Error } from "#base/error.ts";
import {
  type Attributes,
  type ObjectInfo,
  STORAGE_CLASSES,
  STORED_HEADERS,
  type StorageClass,
  type StoredHeader,
} from "#object/attributes.ts";
import { withoutEncodedWord } from "#s3/encoded-word.ts";
import { type Headers, utf8 } from "#s3/request.ts";
import { readTagHeader } from "#s3/tags.ts";

const USER_METADATA_BYTES_MAX = 2_048;
const META = "x-amz-meta-";
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** What no header can hold: control characters but for the tab. */
export const CONTROL = /[^\t\x20-\x7e\x80-\u{10ffff}]/u;

/** What the headers of a PutObject, CopyObject or CreateMultipartUpload say of the object. */
export function readAttributes(headers: Headers): Attributes {
  return {
    ...readMetadata(headers),
    tags: readTagHeader(headers["x-amz-tagging"]) ?? [],
    storageClass: readStorageClass(headers) ?? "STANDARD",
  };
}

/** Fails: MetadataTooLarge, InvalidRedirectLocation. */
export function readMetadata(headers: Headers): Pick<Attributes, "headers" | "userMetadata"> {
  const stored: Partial<Record<StoredHeader, string>> = {};
  for (const name of STORED_HEADERS) {
    const value = headers[name];
    if (value !== undefined) stored[name] = utf8(value);
  }
  const encoding = stored["content-encoding"];
  if (encoding !== undefined) {
    const rest = withoutChunked(encoding);
    if (rest === "") delete stored["content-encoding"];
    else stored["content-encoding"] = rest;
  }
  readRedirect(headers);
  return { headers: stored, userMetadata: readUserMetadata(headers) };
}

/** Where a website redirects to. Fails: InvalidRedirectLocation. */
export function readRedirect(headers: Headers): string | undefined {
  const text = headers["x-amz-website-redirect-location"];
  if (text === undefined) return undefined;
  if (!/^(?:https?:\/)?\//.test(text)) throw new S3Error("InvalidRedirectLocation", {});
  return utf8(text);
}

/** Fails: InvalidStorageClass. */
export function readStorageClass(headers: Headers): StorageClass | undefined {
  const text = headers["x-amz-storage-class"];
  if (text === undefined) return undefined;
  const known = STORAGE_CLASSES.find((name) => name === text);
  if (known === undefined)
    throw new S3Error("InvalidStorageClass", { StorageClassRequested: text });
  return known;
}

/** Headers that GetObject and HeadObject share. */
export function objectHeaders(info: ObjectInfo): Record<string, string> {
  const { attributes } = info;
  const headers: Record<string, string> = {
    ETag: `"${info.etag}"`,
    "Last-Modified": httpDate(info.modifiedMs),
    "Accept-Ranges": "bytes",
    "content-type": attributes.headers["content-type"] ?? "binary/octet-stream",
  };
  for (const name of STORED_HEADERS) {
    const value = attributes.headers[name];
    if (value !== undefined) headers[name] = headerText(value);
  }
  for (const [name, value] of Object.entries(attributes.userMetadata)) {
    headers[META + name] = metadataText(value);
  }
  if (info.versionId !== undefined) headers["x-amz-version-id"] = info.versionId;
  if (attributes.storageClass !== "STANDARD") {
    headers["x-amz-storage-class"] = attributes.storageClass;
  }
  if (attributes.tags.length > 0) headers["x-amz-tagging-count"] = String(attributes.tags.length);
  return headers;
}

let dateSecond = 0;
let dateText = "";

/** Objects that are read together were often written together: the last text serves again. */
export function httpDate(ms: number): string {
  const second = Math.floor(ms / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1_000).toUTCString();
  }
  return dateText;
}

/** Of HTTP headers. undefined for what is no date, which HTTP says to ignore. */
export function readHttpDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A presigned URL may say in its query what no header could, and an answer could not give back. */
function badMetadataName(name: string): S3Error {
  return invalidArgument(name, "", "The name of user metadata must be one that a header can have.");
}

function readUserMetadata(headers: Headers): Record<string, string> {
  // No prototype: a name may be `__proto__`.
  const metadata: Record<string, string> = Object.create(null);
  let sizeBytes = 0;
  for (const name in headers) {
    if (!name.startsWith(META)) continue;
    if (!HEADER_NAME.test(name)) throw badMetadataName(name);
    const value = headers[name] ?? "";
    sizeBytes += name.length - META.length + value.length;
    metadata[name.slice(META.length)] = withoutEncodedWord(utf8(value));
  }
  if (sizeBytes > USER_METADATA_BYTES_MAX) {
    throw new S3Error("MetadataTooLarge", {
      Size: String(sizeBytes),
      MaxSizeAllowed: String(USER_METADATA_BYTES_MAX),
    });
  }
  return metadata;
}

/** `aws-chunked` is about the transfer and is not kept. */
function withoutChunked(encoding: string): string {
  if (!encoding.includes("aws-chunked")) return encoding;
  const rest = encoding.split(",").map((name) => name.trim());
  return rest.filter((name) => name !== "aws-chunked" && name !== "").join(", ");
}

/** Headers are latin1 on the wire: UTF-8 goes out byte by byte, as it came in. */
function headerText(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : Buffer.from(value).toString("latin1");
}

/**
 * Metadata that is not printable ASCII goes out in RFC 2047 form.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
function metadataText(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  return `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

const OVERRIDABLE: ReadonlySet<string> = new Set([
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
]);

/**
 * `response-content-type` and its siblings, of signed requests only.
 *
 * Observed: 2026-04-21, as others recorded AWS (versity/versitygw#2075): another response-* is refused.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * Fails: InvalidRequest, InvalidArgument.
 */
export function responseOverrides(
  query: ReadonlyMap<string, string>,
  signed: boolean,
): Record<string, string> {
  const overrides: Record<string, string> = {};
  if (query.size === 0) return overrides;
  for (const [parameter, value] of query) {
    if (!parameter.startsWith("response-")) continue;
    const name = parameter.slice("response-".length);
    if (!OVERRIDABLE.has(name)) {
      const message = `${parameter} is not in the set of overridable response headers.`;
      throw invalidArgument(parameter, value, message);
    }
    if (!signed) {
      const message =
        "Request specific response headers cannot be used for anonymous GET requests.";
      throw new S3Error("InvalidRequest", {}, { message });
    }
    if (CONTROL.test(value)) throw invalidArgument(parameter, value);
    overrides[name] = headerText(value);
  }
  return overrides;
}
