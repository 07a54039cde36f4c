import type { ByteReader } from "#s3/signature/byte-reader.ts";

/** Of what announces a chunk. */
export const HEADER_BYTES_MAX = 256;
/** Longer ones cost less than their bytes do. */
const SHORT_BYTES_MAX = 4_096;
/** Copied byte by byte: a call for each would take longer. */
const TINY_BYTES_MAX = 32;
/** Of a size, with its zeros. */
const DIGITS_MAX = 12;
const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Takes the unsigned chunks that come next, are short and are here as a whole, as one run of bytes, and at
 * most `bytesMax` of them: a client that sends a byte in each makes as little work as another. Nothing when
 * the next one is otherwise, or not well-formed.
 */
export function takeShortChunks(reader: ByteReader, bytesMax: number): Uint8Array | undefined {
  const { here } = reader;
  if (headerAt(here, 0) === undefined) return undefined;
  const spans: number[] = [];
  let at = 0;
  let totalBytes = 0;
  for (;;) {
    const header = headerAt(here, at);
    if (header === undefined || totalBytes + header.sizeBytes > bytesMax) break;
    const { from, sizeBytes } = header;
    const to = from + sizeBytes;
    if (here[to] !== CR || here[to + 1] !== LF) break;
    spans.push(from, to);
    totalBytes += sizeBytes;
    at = to + 2;
  }
  if (totalBytes === 0) return undefined;
  reader.skip(at);
  const [from = 0, to = 0] = spans;
  return spans.length === 2 ? here.subarray(from, to) : joined(here, spans, totalBytes);
}

interface Header {
  /** Where the payload begins. */
  readonly from: number;
  readonly sizeBytes: number;
}

/** The header at `at`, in any form in which chunks have one; undefined unless it is all here, and of a short chunk. */
function headerAt(here: Uint8Array, at: number): Header | undefined {
  let next = at;
  let sizeBytes = 0;
  for (; ; next += 1) {
    const digit = DIGITS[here[next] ?? 0] ?? -1;
    if (digit < 0) break;
    sizeBytes = sizeBytes * 16 + digit;
    if (sizeBytes > SHORT_BYTES_MAX || next - at >= DIGITS_MAX) return undefined;
  }
  while (here[next] === SPACE && next - at < HEADER_BYTES_MAX) next += 1;
  const isWhole = here[next] === CR && here[next + 1] === LF;
  return isWhole && sizeBytes > 0 ? { from: next + 2, sizeBytes } : undefined;
}

/** What each byte is worth as a hexadecimal digit; -1 when it is none. */
const DIGITS = Int8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? -1 : value;
});

function joined(here: Uint8Array, spans: readonly number[], totalBytes: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(totalBytes);
  let at = 0;
  for (let index = 0; index < spans.length; index += 2) {
    const [from = 0, to = 0] = [spans[index], spans[index + 1]];
    if (to - from > TINY_BYTES_MAX) {
      bytes.set(here.subarray(from, to), at);
      at += to - from;
    } else {
      for (let next = from; next < to; next += 1) {
        bytes[at] = here[next] ?? 0;
        at += 1;
      }
    }
  }
  return bytes;
}
