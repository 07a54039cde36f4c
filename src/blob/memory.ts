import { assert } from "#base/assert.ts";
import { crc32Of } from "#base/checksum.ts";
import { type Clock, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import type {
  BlobId,
  BlobStore,
  BlobWriter,
  ByteRange,
  FinishedBlob,
  ListedBlob,
} from "#blob/store.ts";

const CHUNK_BYTES = 64 * 1024;
/** What a chunk holds once it is no longer valid, so that a test sees who keeps one too long. */
const STALE = 0xdd;

interface Blob {
  readonly bytes: Buffer;
  readonly finishedMs: number;
}

/** The reference implementation, for tests: obviously right, and forgets everything. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<BlobId, Blob>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  async create(): Promise<BlobWriter> {
    return new MemoryWriter((bytes) => {
      const id = randomHex(16);
      this.#blobs.set(id, { bytes, finishedMs: this.#clock.now() });
      return id;
    });
  }

  async *read(id: BlobId, { from, to }: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    assert(from >= 0 && from <= to, "a range does not end before it starts");
    const bytes = this.#blobs.get(id)?.bytes;
    if (bytes === undefined) throw new StorageError("corrupt", `blob ${id} is missing`);
    let [last, lastButOne]: Buffer[] = [];
    for (let at = from; at < to; at += CHUNK_BYTES) {
      const end = Math.min(at + CHUNK_BYTES, to);
      if (end > bytes.length) throw new StorageError("corrupt", `blob ${id} ends before ${to}`);
      const chunk = Buffer.from(bytes.subarray(at, end));
      lastButOne?.fill(STALE);
      [last, lastButOne] = [chunk, last];
      yield chunk;
    }
    lastButOne?.fill(STALE);
  }

  /** Nothing comes between its bytes and their reader. */
  readChecked(id: BlobId, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    return this.read(id, range);
  }

  async remove(id: BlobId): Promise<void> {
    this.#blobs.delete(id);
  }

  async size(id: BlobId): Promise<number | undefined> {
    return this.#blobs.get(id)?.bytes.length;
  }

  async *list(): AsyncGenerator<ListedBlob, void, undefined> {
    for (const [id, { bytes, finishedMs }] of [...this.#blobs]) {
      yield { id, sizeBytes: bytes.length, ageMs: this.#clock.now() - finishedMs };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class MemoryWriter implements BlobWriter {
  readonly #keep: (bytes: Buffer) => BlobId;
  #chunks: Buffer[] | undefined = [];

  constructor(keep: (bytes: Buffer) => BlobId) {
    this.#keep = keep;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#open().push(Buffer.from(chunk));
  }

  async finish(): Promise<FinishedBlob> {
    const bytes = Buffer.concat(this.#open());
    this.#chunks = undefined;
    return { id: this.#keep(bytes), crc32: crc32Of(bytes) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks = undefined;
  }

  #open(): Buffer[] {
    assert(this.#chunks !== undefined, "a writer that ended is not used again");
    return this.#chunks;
  }
}
