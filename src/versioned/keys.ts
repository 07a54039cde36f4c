import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import { STAMP_BYTES, writeStamp } from "#base/stamp.ts";

/**
 * Where each record lives. A letter, then fields of fixed width, so that the order of the bytes is
 * the order of the fields; a key that something follows is escaped and closed by TERMINATOR.
 *
 *  o bucket key                   head: the current version, as lists show it
 *  v bucket key TERMINATOR stamp  version, the newest first
 *  m content                      manifest: extents and parts of a version in several parts
 *  u bucket key TERMINATOR id     unfinished upload, the oldest first
 *  p upload number                part
 *  c upload                       counter that each part's commit bumps
 *  r blob content                 reference: the content holds the blob
 *  t bucket token                 client token of a rename
 *  g time id                      garbage
 *  h id                           hold: while there is one, garbage waits
 *  n bucket                       usage counter
 *  N organization / zone          usage counter, of all its buckets there
 *  x                              the last repair of usage counters
 */
const TERMINATOR = Buffer.from([0x00, 0x01]);
const ESCAPED_ZERO = Buffer.from([0x00, 0xff]);
/** What stands behind the object key in a version's key. */
export const VERSION_CLOSE_BYTES = TERMINATOR.length + STAMP_BYTES;

const BUCKET_ID_BYTES = 8;
/** Of blobs, contents and uploads. */
export const ID_BYTES = 16;
/** What stands behind the object key in an upload's key. */
export const UPLOAD_CLOSE_BYTES = TERMINATOR.length + ID_BYTES;

export interface Span {
  readonly from: Buffer;
  readonly to: Buffer;
}

export function headKey(bucketId: string, key: string): Buffer {
  const keyBytes = Buffer.byteLength(key);
  const bytes = Buffer.allocUnsafe(1 + BUCKET_ID_BYTES + keyBytes);
  bytes[0] = 0x6f;
  bytes.write(bucketId, 1, BUCKET_ID_BYTES, "hex");
  bytes.write(key, 1 + BUCKET_ID_BYTES, keyBytes, "utf8");
  return bytes;
}

/** The key bytes of a head's or an unclosed listing key. */
export function keyOfHead(bytes: Buffer): string {
  return bytes.toString("utf8", 1 + BUCKET_ID_BYTES);
}

/** All heads of a bucket whose keys begin with `prefix`. */
export function headSpan(bucketId: string, prefix: string): Span {
  const from = headKey(bucketId, prefix);
  return { from, to: afterPrefix(from) };
}

/** Without `sequence` the stamp is left for the commit: `stampKeyAt` is `length - STAMP_BYTES`. */
export function versionKey(bucketId: string, key: string, sequence?: number): Buffer {
  const bytes = closedKey("v", { bucketId, key }, STAMP_BYTES);
  const stampAt = bytes.length - STAMP_BYTES;
  if (sequence === undefined) bytes.fill(0, stampAt);
  else writeStamp(bytes, stampAt, sequence);
  return bytes;
}

export function versionSpan(bucketId: string, key: string): Span {
  const from = closedKey("v", { bucketId, key });
  return { from, to: afterPrefix(from) };
}

/** All versions, or uploads, of a bucket whose keys begin with `prefix`. */
export function closedSpan(kind: "v" | "u", bucketId: string, prefix: string): Span {
  const from = Buffer.concat([start(kind, bucketId), escaped(prefix)]);
  return { from, to: afterPrefix(from) };
}

export function uploadKey(bucketId: string, key: string, uploadId: string): Buffer {
  const bytes = closedKey("u", { bucketId, key }, ID_BYTES);
  bytes.write(uploadId, bytes.length - ID_BYTES, ID_BYTES, "hex");
  return bytes;
}

/** All uploads of one key. */
export function uploadSpan(bucketId: string, key: string): Span {
  const from = closedKey("u", { bucketId, key });
  return { from, to: afterPrefix(from) };
}

/** The object key, and the bytes after it, of a version's or an upload's key. */
export function openClosedKey(bytes: Buffer): { readonly key: string; readonly rest: Buffer } {
  let from = 1 + BUCKET_ID_BYTES;
  let end = bytes.indexOf(0, from);
  if (bytes[end + 1] === TERMINATOR[1]) {
    return { key: bytes.toString("utf8", from, end), rest: bytes.subarray(end + 2) };
  }
  const pieces: Buffer[] = [];
  while (bytes[end + 1] !== TERMINATOR[1]) {
    assert(end >= 0 && bytes[end + 1] === ESCAPED_ZERO[1], "a stored key is closed");
    pieces.push(bytes.subarray(from, end + 1));
    from = end + 2;
    end = bytes.indexOf(0, from);
  }
  pieces.push(bytes.subarray(from, end));
  return { key: Buffer.concat(pieces).toString("utf8"), rest: bytes.subarray(end + 2) };
}

export function partKey(uploadId: string, number: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 + ID_BYTES + 2);
  bytes[0] = 0x70;
  bytes.write(uploadId, 1, ID_BYTES, "hex");
  bytes.writeUInt16BE(number, 1 + ID_BYTES);
  return bytes;
}

export function partNumberOf(key: Uint8Array): number {
  return ((key[1 + ID_BYTES] ?? 0) << 8) | (key[2 + ID_BYTES] ?? 0);
}

export function partCounterKey(uploadId: string): Buffer {
  return idKey("c", uploadId);
}

export function manifestKey(contentId: string): Buffer {
  return idKey("m", contentId);
}

export function referenceKey(blobId: string, contentId: string): Buffer {
  return Buffer.concat([idKey("r", blobId), Buffer.from(contentId, "hex")]);
}

export function referenceSpan(blobId: string): Span {
  const from = idKey("r", blobId);
  return { from, to: afterPrefix(from) };
}

export function renameTokenKey(bucketId: string, token: string): Buffer {
  return Buffer.concat([start("t", bucketId), Buffer.from(token)]);
}

/** The earliest entries sort first. */
export function garbageKey(timeMs: number, id: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 8 + ID_BYTES);
  bytes[0] = 0x67;
  bytes.writeBigUInt64BE(BigInt(timeMs), 1);
  bytes.write(id, 9, ID_BYTES, "hex");
  return bytes;
}

/** All garbage thrown away before `timeMs`. */
export function garbageSpan(timeMs: number): Span {
  return {
    from: garbageKey(0, "00".repeat(ID_BYTES)),
    to: garbageKey(timeMs, "00".repeat(ID_BYTES)),
  };
}

/** All garbage that is to be thrown away after `timeMs`. */
export function laterGarbageSpan(timeMs: number): Span {
  return {
    from: garbageKey(timeMs + 1, "00".repeat(ID_BYTES)),
    to: afterPrefix(Buffer.from("g")),
  };
}

/** The inverse of garbageKey, without its time. */
export function garbageIdOf(key: Uint8Array): string {
  return asBuffer(key).toString("hex", 9);
}

export function holdKey(id: string): Buffer {
  return idKey("h", id);
}

export function holdSpan(): Span {
  const from = Buffer.from("h");
  return { from, to: afterPrefix(from) };
}

export function usageKey(bucketId: string): Buffer {
  return start("n", bucketId);
}

/** Neither an organization's id nor the name of a zone holds a "/". */
export function zoneUsageKey(organizationId: string, zone: string): Buffer {
  return Buffer.from(`N${organizationId}/${zone}`);
}

/** The zones of one organization, or of all when it is undefined. */
export function zoneUsageSpan(organizationId: string | undefined): Span {
  const from = Buffer.from(organizationId === undefined ? "N" : `N${organizationId}/`);
  return { from, to: afterPrefix(from) };
}

/** The inverse of zoneUsageKey. */
export function openZoneUsageKey(key: Uint8Array): {
  readonly organizationId: string;
  readonly zone: string;
} {
  const [organizationId = "", zone = ""] = asBuffer(key).toString("utf8", 1).split("/");
  return { organizationId, zone };
}

/** Written by each repair of usage counters, for its revision. */
export const REPAIR_KEY = Buffer.from("x");

/** The first bytes that sort after everything that begins with `prefix`. */
export function afterPrefix(prefix: Buffer): Buffer {
  const bytes = Buffer.from(prefix);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xff) end -= 1;
  assert(end > 0, "a prefix begins with a letter");
  bytes[end - 1] = (bytes[end - 1] ?? 0) + 1;
  return bytes.subarray(0, end);
}

/** The first bytes that sort after `key` itself. */
export function afterKey(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}

/** With room for so many bytes behind it, which are not set. */
function closedKey(
  kind: "v" | "u",
  { bucketId, key }: { readonly bucketId: string; readonly key: string },
  behindBytes = 0,
): Buffer {
  const hasZero = key.includes("\0");
  const keyBytes = hasZero ? escaped(key) : key;
  const size = typeof keyBytes === "string" ? Buffer.byteLength(keyBytes) : keyBytes.length;
  const keyAt = 1 + BUCKET_ID_BYTES;
  const bytes = Buffer.allocUnsafe(keyAt + size + TERMINATOR.length + behindBytes);
  bytes.write(kind, 0, "latin1");
  bytes.write(bucketId, 1, BUCKET_ID_BYTES, "hex");
  if (typeof keyBytes === "string") bytes.write(keyBytes, keyAt, size, "utf8");
  else bytes.set(keyBytes, keyAt);
  bytes.set(TERMINATOR, keyAt + size);
  return bytes;
}

function start(kind: string, bucketId: string): Buffer {
  return Buffer.concat([Buffer.from(kind), Buffer.from(bucketId, "hex")]);
}

function idKey(kind: string, id: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + ID_BYTES);
  bytes.write(kind, 0, "latin1");
  bytes.write(id, 1, ID_BYTES, "hex");
  return bytes;
}

function escaped(key: string): Buffer {
  const bytes = Buffer.from(key);
  if (!bytes.includes(0)) return bytes;
  const pieces = [...bytes].map((byte) => (byte === 0 ? ESCAPED_ZERO : Buffer.from([byte])));
  return Buffer.concat(pieces);
}
