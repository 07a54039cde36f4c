import { read } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { StorageError } from "#base/error.ts";
import { readBuffers, SMALL_BYTES } from "#blob/buffer-pool.ts";
import type { ByteRange } from "#blob/store.ts";
import { guarded } from "#blob/system-error.ts";

/** The last chunk of a longer read is its own allocation, for it stays valid after the end. */
const TAIL_BYTES = 16 * 1024;
/** How a longer read is cut into chunks. */
export interface Cuts {
  /** Each chunk but the last is a multiple of it, and the last no longer; at most 64 KiB. */
  readonly unitBytes: number;
}

/** A reader has one buffer that fills and two that are the consumer's. */
const RING_BUFFERS = 3;

/**
 * The bytes `from <= i < to` of an open file, which stays open. Each chunk is valid until the next but
 * one is asked for; the last stays valid after the end.
 * Fails: StorageError "corrupt" when the file ends before `to`, "unavailable".
 */
export async function* readRange(
  file: FileHandle,
  { from, to }: ByteRange,
  cuts?: Cuts,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new FileReader(file, to, cuts);
  let ahead = reader.fill(from);
  let whole = false;
  try {
    for (let at = from; at < to; ) {
      const chunk = await ahead;
      at += chunk.length;
      ahead = reader.fill(at);
      ahead.catch(() => {}); // Told when the consumer asks for it.
      yield chunk;
    }
    whole = true;
  } finally {
    // The kernel may still be writing into a buffer that must not be lent to anyone.
    await Promise.allSettled([ahead]);
    reader.giveBack({ again: whole });
  }
}

/** Fills a ring of buffers, each when its last chunk is no longer valid. */
class FileReader {
  readonly #file: FileHandle;
  readonly #to: number;
  readonly #cuts: Cuts | undefined;
  readonly #ring: Buffer[] = [];
  #chunks = 0;

  constructor(file: FileHandle, to: number, cuts: Cuts | undefined) {
    this.#file = file;
    this.#to = to;
    this.#cuts = cuts;
  }

  /** The chunk that starts at `at`; empty at the end. One call at a time. */
  async fill(at: number): Promise<Buffer> {
    const into = this.#buffer(this.#to - at);
    for (let done = 0; done < into.length; ) {
      const count = await guarded(() => readOnce(this.#file, into.subarray(done), at + done));
      if (count === 0) throw new StorageError("corrupt", `a file ends before ${this.#to}`);
      done += count;
    }
    return into;
  }

  giveBack({ again }: { readonly again: boolean }): void {
    for (const buffer of this.#ring) readBuffers.give(buffer, { again });
  }

  #buffer(restBytes: number): Buffer {
    if (restBytes <= SMALL_BYTES) return Buffer.allocUnsafe(restBytes);
    const slot = this.#chunks % RING_BUFFERS;
    this.#chunks += 1;
    const buffer = this.#ring[slot] ?? readBuffers.take();
    this.#ring[slot] = buffer;
    return buffer.subarray(0, Math.min(buffer.length, restBytes - this.#tailBytes(restBytes)));
  }

  #tailBytes(restBytes: number): number {
    if (this.#cuts === undefined) return TAIL_BYTES;
    const { unitBytes } = this.#cuts;
    return ((restBytes - 1) % unitBytes) + 1;
  }
}

// The callback call costs a tenth less than that of FileHandle.
function readOnce(file: FileHandle, into: Uint8Array, at: number): Promise<number> {
  return new Promise((done, fail) => {
    read(file.fd, into, 0, into.length, at, (error, count) => (error ? fail(error) : done(count)));
  });
}
