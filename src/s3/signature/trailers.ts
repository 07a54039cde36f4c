import { hash } from "node:crypto";
import { S3Error } from "#base/error.ts";
import { type ByteReader, truncated } from "#s3/signature/byte-reader.ts";
import type { ChunkChain } from "#s3/signature/chunk-chain.ts";
import { trimSpaces } from "#s3/signature/white-space.ts";

const TRAILERS_BYTES_MAX = 4096;
const SIGNATURE = "x-amz-trailer-signature";

/**
 * The names in x-amz-trailer, in lower case. Only checksums may be there.
 * Fails: InvalidRequest.
 */
export function readAnnounced(header: string | undefined): readonly string[] {
  const names = (header ?? "").split(",").map((name) => trimSpaces(name).toLowerCase());
  const announced = names.filter((name) => name !== "");
  if (announced.every((name) => name.startsWith("x-amz-checksum-"))) return announced;
  const message = "The value specified in the x-amz-trailer header is not supported";
  throw new S3Error("InvalidRequest", {}, { message });
}

/**
 * Reads what follows the last chunk: each announced trailer once, then, when there is a chain, the
 * signature of them all, then an empty line, and nothing after it.
 *
 * Observed: 2026-08-19, as others measured AWS: without the empty line the body is incomplete.
 * Differs: AWS ignores bytes after the empty line, and of a trailer sent twice takes the last.
 * Fails: IncompleteBody, MalformedTrailerError, SignatureDoesNotMatch.
 */
export async function readTrailers(
  reader: ByteReader,
  announced: readonly string[],
  chain: ChunkChain | undefined,
): Promise<ReadonlyMap<string, string>> {
  const trailers = await readLines(reader);
  if (chain !== undefined) checkSignature(trailers, chain);
  for (const name of trailers.keys()) if (!announced.includes(name)) throw malformed();
  if (trailers.size < new Set(announced).size) throw malformed();
  if (await reader.fill()) throw malformed();
  return trailers;
}

/** To the empty line. */
async function readLines(reader: ByteReader): Promise<Map<string, string>> {
  const trailers = new Map<string, string>();
  let room = TRAILERS_BYTES_MAX;
  for (;;) {
    const line = await reader.line(room);
    if (line === undefined) throw truncated();
    if (line === "") return trailers;
    room -= line.length + 2;
    // minio-go ends each trailer with LF and all of them with CRLF, which is here one line.
    for (const field of line.split("\n")) addTrailer(trailers, field);
  }
}

function addTrailer(trailers: Map<string, string>, field: string): void {
  if (field === "") return;
  const at = field.indexOf(":");
  const name = trimSpaces(field.slice(0, Math.max(at, 0))).toLowerCase();
  if (name === "" || trailers.has(name) || trailers.has(SIGNATURE)) throw malformed();
  trailers.set(name, trimSpaces(field.slice(at + 1)));
}

/** Takes the signature out of `trailers` and checks it over the others. */
function checkSignature(trailers: Map<string, string>, chain: ChunkChain): void {
  const signature = trailers.get(SIGNATURE);
  if (signature === undefined) throw malformed();
  trailers.delete(SIGNATURE);
  let text = "";
  for (const [name, value] of trailers) text += `${name}:${value}\n`;
  chain.checkTrailers(hash("sha256", Buffer.from(text, "latin1"), "hex"), signature);
}

function malformed(): S3Error {
  return new S3Error("MalformedTrailerError", {});
}
