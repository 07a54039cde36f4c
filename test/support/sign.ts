/**
 * A second, independent AWS Signature V4 signer for tests that send raw requests. Written from the
 * specification and sharing nothing with the verifier in `src/s3/signature/`.
 *
 *     const who = { accessKeyId: "AK", secret: "SK" };          // region: us-east-1, nowMs: now
 *     const url = "http://127.0.0.1:9000/bucket/a%20key?tagging";  // percent-encoded as it is sent
 *     signedHeaders({ ...who, method: "PUT", url, body: "<Tagging/>" })      // hex digest of body
 *     signedHeaders({ ...who, method: "PUT", url, payload: "UNSIGNED-PAYLOAD" })
 *     signedHeaders({ ...who, method: "GET", url, headers: { host: "b.localhost", range: "bytes=0-" } })
 *     presignedUrl({ ...who, method: "GET", url, expiresSeconds: 60 })       // only host is signed
 *     const { headers, body } = chunkedBody({ ...who, method: "PUT", url, body: bytes, mode: "signed" })
 *
 * The headers come back complete, names in lower case, values as latin1 strings: send all of them.
 */
import { createHash, createHmac } from "node:crypto";
import { systemClock } from "#base/clock.ts";

type Headers = Readonly<Record<string, string>>;

export interface Signer {
  readonly accessKeyId: string;
  readonly secret: string;
  /** `us-east-1` when absent. */
  readonly region?: string;
  /** `s3` when absent. */
  readonly service?: string;
  readonly sessionToken?: string;
  /** The time of signing, milliseconds since 1970; now when absent. */
  readonly nowMs?: number;
}

export interface ToSign extends Signer {
  readonly method: string;
  /** `http://host[:port]/path?query`, percent-encoded as it goes on the wire; not normalised. */
  readonly url: string;
  /** Further headers to send; all of them are signed. `host` overrides the one of the URL. */
  readonly headers?: Headers;
  /** Hashed into x-amz-content-sha256 unless `payload` says otherwise. */
  readonly body?: string | Uint8Array;
  /** The value of x-amz-content-sha256, as `UNSIGNED-PAYLOAD`. */
  readonly payload?: string;
}

export interface ToPresign extends ToSign {
  readonly expiresSeconds: number;
}

export interface ToChunk extends ToSign {
  readonly body: string | Uint8Array;
  readonly mode: "signed" | "signed-trailer" | "unsigned-trailer";
  /** Bytes of each chunk but the last; 65,536 when absent. */
  readonly chunkBytes?: number;
  /** Sent after the last chunk and announced in x-amz-trailer. */
  readonly trailers?: Headers;
}

/** Every header to send, `authorization` among them. */
export function signedHeaders(given: ToSign): Record<string, string> {
  const request = timed(given);
  const { date } = scopeOf(request);
  const headers: Record<string, string> = {
    host: partsOf(request.url).host,
    ...lowerCased(request.headers ?? {}),
    "x-amz-date": date,
  };
  const payload = request.payload ?? sha256(request.body ?? "");
  // Of other services than S3 the digest is signed, and not sent.
  if (request.service !== "sts") headers["x-amz-content-sha256"] = payload;
  if (request.sessionToken !== undefined) headers["x-amz-security-token"] = request.sessionToken;
  const signature = sign({ ...request, payload }, headers, partsOf(request.url).query);
  return { ...headers, authorization: authorization(request, headers, signature) };
}

/** The URL with its signature. Headers given are signed too: the sender has to send the same. */
export function presignedUrl(given: ToPresign): string {
  const request = timed(given);
  const { scope, date } = scopeOf(request);
  const { origin, path, host, query } = partsOf(request.url);
  const headers = { host, ...lowerCased(request.headers ?? {}) };
  const added = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${request.accessKeyId}/${scope}`,
    "X-Amz-Date": date,
    "X-Amz-Expires": String(request.expiresSeconds),
    ...(request.sessionToken === undefined ? {} : { "X-Amz-Security-Token": request.sessionToken }),
    "X-Amz-SignedHeaders": namesOf(headers).join(";"),
  };
  const pairs = Object.entries(added).map(([name, value]) => `${name}=${uriEncode(value)}`);
  const whole = [...(query === "" ? [] : [query]), ...pairs].join("&");
  const payload = request.payload ?? "UNSIGNED-PAYLOAD";
  const signature = sign({ ...request, payload }, headers, whole);
  return `${origin}${path}?${whole}&X-Amz-Signature=${signature}`;
}

/** The headers and the aws-chunked body of an upload. */
export function chunkedBody(given: ToChunk): { headers: Record<string, string>; body: Buffer } {
  const request = timed(given);
  const plain = Buffer.from(request.body);
  const trailers = request.trailers ?? {};
  const headers = signedHeaders({
    ...request,
    payload: PAYLOADS[request.mode],
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(plain.length),
      ...(request.mode === "signed" ? {} : { "x-amz-trailer": Object.keys(trailers).join(",") }),
      ...request.headers,
    },
  });
  const seed = headers["authorization"]?.slice(-64) ?? "";
  const body = Buffer.concat([...chunks(request, plain, seed)]);
  return { headers: { ...headers, "content-length": String(body.length) }, body };
}

/** The signature of a text by itself, as the policy of a form. */
export function signText(who: Signer, text: string): string {
  return hmac(signingKey(timed(who)), text).toString("hex");
}

/** The time is read once, so that all signatures of one request agree. */
function timed<T extends Signer>(given: T): T & { readonly nowMs: number } {
  return { ...given, nowMs: given.nowMs ?? systemClock.now() };
}

const PAYLOADS = {
  signed: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "signed-trailer": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "unsigned-trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
} as const;

/** The encoded body piece by piece; each signature covers the one before, the first the seed. */
function* chunks(request: ToChunk, plain: Buffer, seed: string): Iterable<Buffer> {
  const step = request.chunkBytes ?? 65_536;
  const signed = request.mode !== "unsigned-trailer";
  let previous = seed;
  for (let from = 0; ; from += step) {
    const data = plain.subarray(from, from + step);
    previous = chainSignature(request, "PAYLOAD", [previous, sha256(""), sha256(data)]);
    const extension = signed ? `;chunk-signature=${previous}` : "";
    yield Buffer.from(`${data.length.toString(16)}${extension}\r\n`);
    if (data.length === 0) break;
    yield data;
    yield Buffer.from("\r\n");
  }
  const trailers = Object.entries(request.trailers ?? {});
  if (request.mode !== "signed") {
    yield Buffer.from(trailers.map(([name, value]) => `${name}:${value}\r\n`).join(""), "latin1");
  }
  if (request.mode === "signed-trailer") {
    const lines = trailers.map(([name, value]) => `${name}:${value}\n`).join("");
    const signature = chainSignature(request, "TRAILER", [previous, sha256(lines)]);
    yield Buffer.from(`x-amz-trailer-signature:${signature}\r\n`);
  }
  yield Buffer.from("\r\n");
}

function chainSignature(
  who: Signer,
  kind: "PAYLOAD" | "TRAILER",
  lines: readonly string[],
): string {
  const { scope, date } = scopeOf(who);
  const text = [`AWS4-HMAC-SHA256-${kind}`, date, scope, ...lines].join("\n");
  return hmac(signingKey(who), text).toString("hex");
}

function sign(request: ToSign, headers: Headers, query: string): string {
  const { scope, date } = scopeOf(request);
  const names = namesOf(headers);
  const canonical = [
    request.method,
    reencode(partsOf(request.url).path).replaceAll("%2F", "/"),
    canonicalQuery(query),
    ...names.map((name) => `${name}:${trimmed(headers[name] ?? "")}`),
    "",
    names.join(";"),
    headers["x-amz-content-sha256"] ?? request.payload,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(Buffer.from(canonical, "latin1"))];
  return hmac(signingKey(request), text.join("\n")).toString("hex");
}

function authorization(request: ToSign, headers: Headers, signature: string): string {
  const credential = `${request.accessKeyId}/${scopeOf(request).scope}`;
  const names = namesOf(headers).join(";");
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
}

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((pair) => pair !== "");
  const encoded = pairs.map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return { name: reencode(name), value: reencode(value.join("=")) };
  });
  const order = (a: string, b: string) => Number(a > b) - Number(a < b);
  encoded.sort((a, b) => order(a.name, b.name) || order(a.value, b.value));
  return encoded.map(({ name, value }) => `${name}=${value}`).join("&");
}

function scopeOf(who: Signer): { readonly scope: string; readonly date: string } {
  const iso = new Date(who.nowMs ?? 0).toISOString();
  const date = iso.replace(/[-:]|\.\d+/g, "");
  const { region = "us-east-1", service = "s3" } = who;
  return { scope: `${date.slice(0, 8)}/${region}/${service}/aws4_request`, date };
}

function signingKey(who: Signer): Buffer {
  const words = scopeOf(who).scope.split("/");
  return words.reduce<Buffer>((key, word) => hmac(key, word), Buffer.from(`AWS4${who.secret}`));
}

/** The URL cut by hand: the URL class would resolve `..` and re-encode what the test spelled out. */
function partsOf(url: string) {
  const {
    origin = "",
    host = "",
    path = "",
    query = "",
  } = /^(?<origin>https?:\/\/(?<host>[^/?]+))(?<path>[^?]*)\??(?<query>.*)$/.exec(url)?.groups ??
  {};
  if (origin === "") throw new TypeError(`not an absolute URL: ${url}`);
  return { origin, host, path: path === "" ? "/" : path, query };
}

function namesOf(headers: Headers): string[] {
  return Object.keys(headers).sort();
}

/** Not String.trim, which takes the byte 0xA0 for a space. */
function trimmed(value: string): string {
  return value.replace(/[ \t]+/g, " ").replace(/^ | $/g, "");
}

function lowerCased(headers: Headers): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

function reencode(text: string): string {
  return uriEncode(decodeURIComponent(text));
}

/** UriEncode of the specification: everything but A-Z a-z 0-9 - . _ ~ as %XX of its UTF-8 bytes. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
