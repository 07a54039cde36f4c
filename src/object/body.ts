import type { ChecksumAlgorithm } from "#base/checksum.ts";

/** Bytes that a client sends, and what it says of them. */
export interface Body {
  /** The most there can be, where `sizeBytesMin` is there. */
  readonly sizeBytes: number;
  /** The least there can be, of a body whose end is known only when it comes: the file in a form. */
  readonly sizeBytesMin?: number;
  /** Ends after exactly `sizeBytes`, or between the two, or fails: IncompleteBody, RequestTimeout … */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Nobody changes a chunk after it was handed out; absent: its buffer may be used again. */
  readonly chunksStay?: true;
  /** The algorithm of the checksum that the client sends or asks for. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Whether `claims().sha256` will be there. */
  readonly hasSha256: boolean;
  /** What must be true of the bytes. Complete after the last chunk, since trailers come last. */
  readonly claims: () => Claims;
}

/** Digests in their binary form. */
export interface Claims {
  readonly md5: Buffer | undefined;
  /** Of the signed payload. */
  readonly sha256: Buffer | undefined;
  /** By the body's algorithm. */
  readonly checksum: Buffer | undefined;
}
