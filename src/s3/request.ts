import { assert } from "#base/assert.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import type { HttpRequest } from "#base/http.ts";
import { type Element, readXml } from "#base/xml.ts";
import type { Body } from "#object/body.ts";
import { type BucketName, bucketName, type ObjectKey, objectKey } from "#object/name.ts";
import type { FormParts } from "#s3/form/form-reader.ts";
import { isPresigned } from "#s3/signature/presigned.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

/** A request after framing, before meaning: nothing here has been authenticated or validated. */
export interface FramedRequest {
  readonly method: string;
  /** Path and query exactly as they were sent, the query without its "?". */
  readonly path: string;
  readonly rawQuery: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; a repeated one's values joined by ",". Values are latin1. */
  readonly sentHeaders: Headers;
  /** Those, and what a presigned URL says in its query instead; of a form what its fields say instead. */
  readonly headers: Headers;
  /** Of a "form" operation. */
  readonly form?: FormParts;
  readonly secure: boolean;
  readonly remoteAddress: string;
}

/** What an operation's parse sees: authenticated, with its body at hand. */
export interface S3Request extends FramedRequest {
  /** The whole body of a "document" operation, its digests verified; else "". */
  readonly document: string;
  /** The body of a "stream" operation, or the file in a form, still to be read. */
  readonly body: Body | undefined;
  /** When it was signed; undefined for an anonymous request. */
  readonly signedMs: number | undefined;
  readonly nowMs: number;
}

export interface Addressing {
  /** Hosts below which the first label is a bucket, in lower case. */
  readonly baseDomains: readonly string[];
  readonly pathStyle: boolean;
}

/** Sent twice, each of these would mean two things; a proxy and we might pick different ones. */
const SINGLE = new Set([
  "authorization",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "expect",
  "host",
  "if-match",
  "range",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-rename-source",
  "x-amz-security-token",
]);

/** Fails: InvalidURI, InvalidRequest. */
export function frame(request: HttpRequest, addressing: Addressing): FramedRequest {
  const sentHeaders = joinHeaders(request.rawHeaders);
  const { path, rawQuery } = splitTarget(request.target);
  const { bucket, key } = locate(path, bucketOfHost(sentHeaders["host"], addressing), addressing);
  const query = readQuery(rawQuery);
  return {
    method: request.method,
    path,
    rawQuery,
    bucket,
    key,
    query,
    sentHeaders,
    headers: isPresigned(rawQuery) ? meantHeaders(sentHeaders, query) : sentHeaders,
    secure: request.secure,
    remoteAddress: request.remoteAddress,
  };
}

/** Of the signature itself; and a checksum that presigners add of a body they do not have. */
const NOT_HEADERS =
  /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|checksum-.*|sdk-checksum-algorithm)$/;

/** Of which signers know that they go into the query. */
const MEANT = /^(?:x-amz-|if-match$|if-none-match$)/;

/**
 * The headers a presigned request means: it carries in its query what its signer wanted sent as
 * `x-amz-` headers.
 *
 * Observed: 2025-01-21, as others tried it against AWS: so it is of the conditions of a write.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
function meantHeaders(headers: Headers, query: FramedRequest["query"]): Headers {
  const merged: Record<string, string | undefined> = { ...headers };
  for (const [name, value] of query) {
    const header = name.toLowerCase();
    if (!MEANT.test(header) || NOT_HEADERS.test(header)) continue;
    merged[header] ??= Buffer.from(value, "utf8").toString("latin1");
  }
  return merged;
}

/** Fails: MalformedXML unless the body is one `name` element. */
export function documentOf(request: S3Request, name: string): Element {
  const root = readXml(request.document);
  if (root.name !== name) throw new S3Error("MalformedXML", {});
  return root;
}

export function bucketOf({ bucket }: FramedRequest): BucketName {
  assert(bucket !== undefined, "routes on a bucket have one");
  return bucketName(bucket);
}

export interface NamedKey {
  readonly bucket: BucketName;
  readonly key: ObjectKey;
}

export interface NamedObject extends NamedKey {
  readonly versionId?: string;
}

export function keyOf(request: FramedRequest): NamedKey {
  assert(request.key !== undefined, "routes on an object have a key");
  return { bucket: bucketOf(request), key: objectKey(request.key) };
}

/** Fails: InvalidArgument for an empty version id. */
export function objectOf(request: FramedRequest): NamedObject {
  const versionId = request.query.get("versionId");
  if (versionId === undefined) return keyOf(request);
  if (versionId === "") {
    throw invalidArgument("versionId", "", "Version id cannot be the empty string");
  }
  return { ...keyOf(request), versionId };
}

/** The UTF-8 text of a header whose bytes came as latin1. */
export function utf8(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : Buffer.from(value, "latin1").toString("utf8");
}

const INT32_MAX = 2_147_483_647;

/**
 * A number in the query: digits that are an int32 of AWS, leading zeros and all.
 *
 * Observed: 2026-09-11, as others measured AWS (brekkylab/backlot#192): a negative max-keys is told as maxKeys, and
 * what is no int32 is another refusal.
 * Fails: InvalidArgument.
 */
export function countOf(
  request: FramedRequest,
  name: string,
  bounds: { readonly fallback: number; readonly max: number },
): number {
  const text = request.query.get(name);
  if (text === undefined || text === "") return bounds.fallback;
  const count = /^-?\d+$/.test(text) ? Number(text) : Infinity;
  if (count > INT32_MAX || count < -INT32_MAX - 1) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`);
  }
  if (count < 0) {
    const told = name === "max-keys" ? "maxKeys" : name;
    const message = `Argument ${told} must be an integer between 0 and ${INT32_MAX}`;
    throw invalidArgument(told, text, message);
  }
  return Math.min(Math.abs(count), bounds.max);
}

/** Percent-decodes UTF-8. Fails: InvalidURI. */
function decodePercent(text: string): string {
  try {
    return text.includes("%") ? decodeURIComponent(text) : text;
  } catch (cause) {
    throw new S3Error("InvalidURI", {}, { cause });
  }
}

function joinHeaders(raw: readonly string[]): Headers {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const before = headers[name];
    if (before !== undefined && SINGLE.has(name)) {
      const message = `The header ${name} was sent more than once.`;
      throw new S3Error("InvalidRequest", {}, { message });
    }
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}

/** Fails: InvalidURI. */
function splitTarget(target: string): { readonly path: string; readonly rawQuery: string } {
  // A proxy may send the absolute form.
  const local = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  if (!local.startsWith("/") && local !== "" && !local.startsWith("?")) {
    throw new S3Error("InvalidURI", {});
  }
  const mark = local.indexOf("?");
  const path = mark < 0 ? local : local.slice(0, mark);
  return { path: path === "" ? "/" : path, rawQuery: mark < 0 ? "" : local.slice(mark + 1) };
}

function bucketOfHost(host: string | undefined, { baseDomains }: Addressing): string | undefined {
  if (host === undefined) return undefined;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  // A base domain may stand below another: it is no bucket of that one.
  if (baseDomains.includes(name)) return undefined;
  const domains = baseDomains.filter((domain) => name.endsWith(`.${domain}`));
  if (domains.length === 0) return undefined;
  const longest = Math.max(...domains.map((domain) => domain.length));
  return name.slice(0, -longest - 1);
}

function locate(path: string, hosted: string | undefined, { pathStyle }: Addressing) {
  if (hosted !== undefined) return { bucket: hosted, key: nonEmpty(decodePercent(path.slice(1))) };
  if (!pathStyle && path !== "/") {
    const message =
      "Path-style requests are refused by this server. Put the bucket into the host name (addressing style virtual).";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const slash = path.indexOf("/", 1);
  const bucket = decodePercent(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? "" : decodePercent(path.slice(slash + 1));
  return { bucket: nonEmpty(bucket), key: nonEmpty(key) };
}

function nonEmpty(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** The first of a repeated name counts. `+` is a space, as in forms. */
function readQuery(raw: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  if (raw === "") return query;
  for (const pair of raw.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeForm(equals < 0 ? pair : pair.slice(0, equals));
    if (!query.has(name)) query.set(name, equals < 0 ? "" : decodeForm(pair.slice(equals + 1)));
  }
  return query;
}

function decodeForm(text: string): string {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}
