/**
 * Immutable byte strings under ids that the store makes.
 *
 * The laws, proved for each implementation by test/contract/blob-store.ts:
 *  1. When `finish` resolves, the blob's bytes and its name survive a power cut.
 *  2. A blob never changes. A blob that was not finished can never be read.
 *  3. A reader that is open keeps its bytes, whatever is removed.
 *  4. Memory is bounded by a few buffers per reader and writer, whatever the sizes.
 */
export interface BlobStore extends AsyncDisposable {
  /** Fails: StorageError "full". */
  create(): Promise<BlobWriter>;

  /**
   * The bytes `from <= i < to`. Each chunk is valid until the next but one is asked for; ending the
   * iteration early closes the blob.
   * Fails: StorageError "corrupt" when the blob is missing or shorter than asked.
   */
  read(id: BlobId, range: ByteRange): AsyncIterable<Uint8Array>;

  /** Removes a blob; one that does not exist is no error. */
  remove(id: BlobId): Promise<void>;

  /** Size in bytes, or undefined when there is no such blob. */
  size(id: BlobId): Promise<number | undefined>;

  /** Ids of all finished blobs, in no order, with their age; for the scrubber. */
  list(): AsyncIterable<{ readonly id: BlobId; readonly sizeBytes: number; readonly ageMs: number }>;
}

/** 32 lower-case hexadecimal digits. */
export type BlobId = string;

/** Half open: `from <= i < to`. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Disposing a writer that was not finished discards what it wrote. */
export interface BlobWriter extends AsyncDisposable {
  /** The writer may keep no reference to `chunk` after the promise resolves. Fails: "full". */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the blob durable and readable. Fails: StorageError "full". */
  finish(): Promise<BlobId>;
}
