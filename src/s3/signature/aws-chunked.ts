import { createHash } from "node:crypto";
import { assert } from "#base/assert.ts";
import { S3Error } from "#base/error.ts";
import { ByteReader, incomplete, truncated } from "#s3/signature/byte-reader.ts";
import { ChunkChain } from "#s3/signature/chunk-chain.ts";
import type { ChunkedPayload } from "#s3/signature/payload.ts";
import { HEADER_BYTES_MAX, takeShortChunks } from "#s3/signature/short-chunks.ts";
import { readAnnounced, readTrailers } from "#s3/signature/trailers.ts";
import type { VerifiedSignature } from "#s3/signature/verify.ts";

const SIGNED_CHUNK_BYTES_MIN = 8192;

/** What a request's headers say of its aws-chunked body. */
export interface ChunkedOptions {
  readonly payload: ChunkedPayload;
  /** The length of the payload without its framing. */
  readonly decodedLengthBytes: number;
  /** Names of the trailers to come, in lower case. */
  readonly announced: readonly string[];
  /** Needed when `payload.signed`. */
  readonly verified: VerifiedSignature | undefined;
}

/** The payload, to be read once. */
export interface ChunkedBody extends AsyncIterable<Uint8Array> {
  /** Complete, and true where signed, when the payload has been read to its end. */
  readonly trailers: ReadonlyMap<string, string>;
}

/**
 * Reads x-amz-decoded-content-length and x-amz-trailer. An anonymous upload has no `verified` and
 * can have no signed chunks.
 *
 * Observed: 2025-11-20, as others measured AWS (versity/versitygw#1656): a length that is no number is none.
 * Fails: InvalidRequest, MalformedTrailerError (announced in a mode without trailers), MissingContentLength.
 */
export function readChunkedOptions(
  headers: Readonly<Record<string, string | undefined>>,
  payload: ChunkedPayload,
  verified: VerifiedSignature | undefined,
): ChunkedOptions {
  if (payload.signed && verified === undefined) {
    const message = "Chunks can be signed only in a request that is signed itself.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const length = headers["x-amz-decoded-content-length"];
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new S3Error("MissingContentLength", {});
  }
  const announced = readAnnounced(headers["x-amz-trailer"]);
  if (announced.length > 0 && !payload.trailer) throw new S3Error("MalformedTrailerError", {});
  return { payload, decodedLengthBytes: Number(length), announced, verified };
}

/**
 * The payload of an aws-chunked body, as views of the pieces of `source`, or together where short chunks
 * follow each other; nothing is held. Bytes come out before the signature of their chunk is checked:
 * what was made of them counts only when the iteration ends well, as with every body.
 * When reading stops early, for a failure or by the reader's wish, `source` is returned.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 * Fails: IncompleteBody (truncated, not in frames, shorter or longer than announced),
 * InvalidChunkSizeError, MalformedTrailerError, SignatureDoesNotMatch.
 */
export function decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  options: ChunkedOptions,
): ChunkedBody {
  return new Decoder(source, options);
}

class Decoder implements ChunkedBody {
  readonly #reader: ByteReader;
  readonly #options: ChunkedOptions;
  readonly #chain: ChunkChain | undefined;
  #leftBytes: number;
  #trailers: ReadonlyMap<string, string> = new Map();

  constructor(source: AsyncIterable<Uint8Array>, options: ChunkedOptions) {
    const { payload, verified } = options;
    assert(!payload.signed || verified !== undefined, "signed chunks have a seed signature");
    this.#reader = new ByteReader(source);
    this.#options = options;
    this.#leftBytes = options.decodedLengthBytes;
    if (payload.signed && verified !== undefined) this.#chain = new ChunkChain(verified);
  }

  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      yield* this.#chain === undefined ? this.#unsignedChunks() : this.#signedChunks(this.#chain);
      this.#trailers = await readTrailers(
        this.#reader,
        this.#options.announced,
        this.#options.payload.trailer ? this.#chain : undefined,
      );
    } finally {
      await this.#reader.close();
    }
  }

  /** To the end of the line that announces the empty one. */
  async *#unsignedChunks(): AsyncIterable<Uint8Array> {
    for (;;) {
      if (this.#reader.here.length === 0) await this.#reader.fill();
      const short = takeShortChunks(this.#reader, this.#leftBytes);
      this.#leftBytes -= short?.length ?? 0;
      if (short !== undefined) yield short;
      const { sizeBytes } = await this.#header();
      if (sizeBytes === 0) return;
      yield* this.#payload(sizeBytes);
      await this.#endOfChunk();
    }
  }

  /** The same. */
  async *#signedChunks(chain: ChunkChain): AsyncIterable<Uint8Array> {
    let previousBytes = SIGNED_CHUNK_BYTES_MIN;
    for (let number = 1; ; number += 1) {
      const { sizeBytes, signature } = await this.#header();
      if (sizeBytes > 0 && previousBytes < SIGNED_CHUNK_BYTES_MIN) {
        throw tooSmall(previousBytes, number);
      }
      yield* this.#signedChunk(chain, sizeBytes, signature);
      if (sizeBytes === 0) return;
      previousBytes = sizeBytes;
      await this.#endOfChunk();
    }
  }

  /** Fails: IncompleteBody when the chunks together are not as long as announced. */
  async #header() {
    const line = await this.#reader.line(HEADER_BYTES_MAX);
    const header = readChunkHeader(line, this.#chain !== undefined);
    const { sizeBytes } = header;
    this.#leftBytes -= sizeBytes;
    if (this.#leftBytes < 0 || (sizeBytes === 0 && this.#leftBytes > 0)) {
      throw new S3Error("IncompleteBody", {});
    }
    return header;
  }

  async #endOfChunk(): Promise<void> {
    if ((await this.#reader.line(0)) !== "") throw notInFrames("A chunk does not end with CRLF.");
  }

  async *#payload(sizeBytes: number): AsyncIterable<Uint8Array> {
    for (let leftBytes = sizeBytes; leftBytes > 0; ) {
      const slice = await this.#reader.take(leftBytes);
      leftBytes -= slice.length;
      yield slice;
    }
  }

  /** Fails before its end, and so before the end of the whole, when the signature is not of its bytes. */
  async *#signedChunk(
    chain: ChunkChain,
    sizeBytes: number,
    signature: string,
  ): AsyncIterable<Uint8Array> {
    const digest = createHash("sha256");
    for await (const slice of this.#payload(sizeBytes)) {
      digest.update(slice);
      yield slice;
    }
    chain.checkChunk(digest.digest("hex"), signature);
  }
}

/**
 * AWS finds a chunk too small when another follows it, whose number it tells.
 *
 * Differs: AWS refuses unsigned chunks below 8,192 bytes too when another follows. Here they may have any
 * size, for clients that were never run against AWS; short ones are put together.
 */
function tooSmall(sizeBytes: number, next: number): S3Error {
  return new S3Error("InvalidChunkSizeError", {
    Chunk: String(next),
    BadChunkSize: String(sizeBytes),
  });
}

const UNSIGNED_HEADER = /^(?<size>[\da-f]{1,12}) *$/i;
// AWS, too, takes spaces about the separators, and nothing after the signature.
const SIGNED_HEADER = /^(?<size>[\da-f]{1,12}) *; *chunk-signature *= *(?<signature>[^\s;]+) *$/i;

/** Reads `10000` or `10000;chunk-signature=…`. Fails: IncompleteBody, as AWS. */
function readChunkHeader(line: string | undefined, signed: boolean) {
  if (line === undefined) throw truncated();
  const groups = (signed ? SIGNED_HEADER : UNSIGNED_HEADER).exec(line)?.groups;
  if (groups === undefined) throw notInFrames("A chunk does not begin with its header.");
  const { size = "", signature = "" } = groups;
  return { sizeBytes: Number.parseInt(size, 16), signature };
}

function notInFrames(detail: string): S3Error {
  return incomplete(`The request body is not in the aws-chunked encoding. ${detail}`);
}
