import { write } from "node:fs";
import { type FileHandle, rename, rm } from "node:fs/promises";
import { assert } from "#base/assert.ts";
import { BUFFER_BYTES, writeBuffers } from "#blob/buffer-pool.ts";
import type { Directory } from "#blob/directory.ts";
import type { BlobId, BlobWriter } from "#blob/store.ts";
import { guarded } from "#blob/system-error.ts";

interface Place {
  readonly id: BlobId;
  readonly temporary: string;
  readonly path: string;
  readonly directory: Directory;
}

/** Collects small chunks into one buffer while the one before is being written. */
export class FileWriter implements BlobWriter {
  readonly #place: Place;
  /** Undefined when finished or discarded. */
  #file: FileHandle | undefined;
  #filling: Buffer | undefined;
  #filledBytes = 0;
  #sentBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, place: Place) {
    this.#file = file;
    this.#place = place;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#step(async (file) => {
      if (chunk.length >= BUFFER_BYTES) {
        await this.#flush(file);
        await this.#writing;
        return this.#append(file, chunk);
      }
      for (let at = 0; at < chunk.length; ) {
        this.#filling ??= writeBuffers.take();
        const count = Math.min(chunk.length - at, this.#filling.length - this.#filledBytes);
        this.#filling.set(chunk.subarray(at, at + count), this.#filledBytes);
        this.#filledBytes += count;
        at += count;
        if (this.#filledBytes === this.#filling.length) await this.#flush(file);
      }
    });
  }

  finish(): Promise<BlobId> {
    return this.#step(async (file) => {
      const { id, temporary, path, directory } = this.#place;
      await this.#flush(file);
      await this.#writing;
      await file.datasync();
      await file.close();
      await rename(temporary, path);
      await directory.sync();
      this.#file = undefined;
      return id;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file !== undefined) await this.#discard(this.#file);
  }

  async #step<T>(work: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#file;
    assert(file !== undefined, "a writer that ended is not used again");
    try {
      return await guarded(() => work(file));
    } catch (error) {
      await this.#discard(file);
      throw error;
    }
  }

  /** Starts writing what is collected, when the write before has ended. */
  async #flush(file: FileHandle): Promise<void> {
    const buffer = this.#filling;
    if (buffer === undefined) return;
    await this.#writing;
    const bytes = buffer.subarray(0, this.#filledBytes);
    this.#filling = undefined;
    this.#filledBytes = 0;
    this.#writing = this.#append(file, bytes).finally(() =>
      writeBuffers.give(buffer, { again: true }),
    );
    this.#writing.catch(() => {}); // Told when it is next waited for.
  }

  async #append(file: FileHandle, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const count = await writeOnce(file, bytes.subarray(done), this.#sentBytes);
      done += count;
      this.#sentBytes += count;
    }
  }

  /** Leaves nothing behind but what sweepTemporary removes; a failure here adds nothing. */
  async #discard(file: FileHandle): Promise<void> {
    this.#file = undefined;
    await Promise.allSettled([this.#writing]);
    if (this.#filling !== undefined) writeBuffers.give(this.#filling, { again: true });
    this.#filling = undefined;
    const { temporary, path } = this.#place;
    await Promise.allSettled([
      file.close(),
      rm(temporary, { force: true }),
      rm(path, { force: true }),
    ]);
  }
}

// The callback call costs a tenth less than that of FileHandle.
function writeOnce(file: FileHandle, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((done, fail) => {
    write(file.fd, bytes, 0, bytes.length, at, (error, count) =>
      error ? fail(error) : done(count),
    );
  });
}
