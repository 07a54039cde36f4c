import type { HttpReply } from "#base/http.ts";
import { documentTags } from "#base/xml.ts";

/** About as many characters become bytes at a time: a text of all would be copied once more, in slow memory. */
const CHUNK_CHARS = 16 * 1_024;
/** Of an element of a list, mostly less. Only what is written to takes memory. */
const ELEMENT_BYTES = 640;
/** Of UTF-8, for what is one of JavaScript's characters. */
const CHAR_BYTES_MAX = 3;

const ENCODER = new TextEncoder();

/** A list of what may be a thousand elements, already in bytes. */
export function listReply(
  root: string,
  inner: readonly string[],
  more: Readonly<Record<string, string>> = {},
): HttpReply {
  const [start, end] = documentTags(root);
  const body = utf8Of([start, ...inner, end]);
  const headers = {
    ...more,
    "content-type": "application/xml",
    "content-length": String(body.length),
  };
  return { status: 200, headers, body };
}

function utf8Of(pieces: readonly string[]): Buffer {
  let bytes = Buffer.allocUnsafeSlow(CHUNK_CHARS * CHAR_BYTES_MAX + pieces.length * ELEMENT_BYTES);
  let sizeBytes = 0;
  let chunk = "";
  const flush = () => {
    const bytesMax = chunk.length * CHAR_BYTES_MAX;
    if (sizeBytes + bytesMax > bytes.length) {
      bytes = Buffer.concat([bytes.subarray(0, sizeBytes)], 2 * (sizeBytes + bytesMax));
    }
    sizeBytes += ENCODER.encodeInto(chunk, bytes.subarray(sizeBytes)).written;
    chunk = "";
  };
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length >= CHUNK_CHARS) flush();
  }
  flush();
  return bytes.subarray(0, sizeBytes);
}
