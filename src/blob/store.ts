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
  /** Fails: StorageError "full", "unavailable". */
  create(): Promise<BlobWriter>;

  /**
   * The bytes `from <= i < to`. The blob is opened when the first chunk is asked for and closed
   * when the iteration ends, early or not.
   *
   * Each chunk is valid, and the consumer's own to change, until the next but one is asked for:
   * two writes to a socket may be under way at once, and the last chunk stays valid after the end.
   *
   * Fails: StorageError "corrupt" when the blob is missing or shorter than asked, perhaps after
   * the chunks that are there; "unavailable".
   */
  read(id: BlobId, range: ByteRange): AsyncIterable<Uint8Array>;

  /**
   * As `read`, but bytes that are not what was written never come: for who reads a part, and has no sum of it. It
   * costs reading to the ends of the blocks of 64 KiB around it.
   *
   * Fails: as `read`, "corrupt" also when a block's sum differs. What was stored before there were sums is read
   * without.
   */
  readChecked(id: BlobId, range: ByteRange): AsyncIterable<Uint8Array>;

  /** Removes a blob; one that does not exist is no error. Fails: StorageError "unavailable". */
  remove(id: BlobId): Promise<void>;

  /** Size in bytes, or undefined when there is no such blob. Fails: StorageError "unavailable". */
  size(id: BlobId): Promise<number | undefined>;

  /**
   * All finished blobs, in no order, for who looks for orphans. One that is finished or removed meanwhile
   * may be there or not. Fails: StorageError "unavailable".
   */
  list(): AsyncIterable<ListedBlob>;
}

/** 32 lower-case hexadecimal digits. */
export type BlobId = string;

/** Half open: `from <= i < to`. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface FinishedBlob {
  readonly id: BlobId;
  /** Of all of its bytes. */
  readonly crc32: number;
}

export interface ListedBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  /** Since it was finished. */
  readonly ageMs: number;
}

/**
 * Takes one call at a time. A writer that failed has discarded what it wrote, and so does disposing
 * one that was not finished; neither is used again.
 */
export interface BlobWriter extends AsyncDisposable {
  /**
   * The writer keeps no reference to `chunk` once the promise resolves, unless it `stays`: then nobody
   * changes it until the blob is finished, and it need not be copied. A failure may be told by a later
   * call. Fails: StorageError "full", "unavailable".
   */
  write(chunk: Uint8Array, how?: { readonly stays: boolean }): Promise<void>;

  /** Makes the blob durable and readable. Fails: StorageError "full", "unavailable". */
  finish(): Promise<FinishedBlob>;
}
