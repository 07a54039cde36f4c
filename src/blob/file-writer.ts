import type { FileHandle } from "node:fs/promises";
import { assert } from "#base/assert.ts";
import { BlockSums } from "#blob/block-sums.ts";
import type { Directory } from "#blob/directory.ts";
import type { Disk } from "#blob/disk.ts";
import { FileAppender } from "#blob/file-appender.ts";
import type { BlobId, BlobWriter, FinishedBlob } from "#blob/store.ts";
import { guarded } from "#blob/system-error.ts";

interface Place {
  readonly id: BlobId;
  readonly temporary: string;
  readonly path: string;
  readonly directory: Directory;
  readonly disk: Disk;
}

/** Writes a temporary file that becomes a blob when it is finished, with the sums of its blocks behind its bytes. */
export class FileWriter implements BlobWriter {
  readonly #place: Place;
  readonly #appender: FileAppender;
  readonly #sums = new BlockSums();
  /** Undefined when finished or discarded. */
  #file: FileHandle | undefined;

  constructor(file: FileHandle, place: Place) {
    this.#file = file;
    this.#appender = new FileAppender(file, 0, place.disk);
    this.#place = place;
  }

  write(chunk: Uint8Array, how?: { readonly stays: boolean }): Promise<void> {
    return this.#step(() => {
      this.#sums.update(chunk);
      return this.#appender.write(chunk, how);
    });
  }

  finish(): Promise<FinishedBlob> {
    return this.#step(async (file) => {
      const { id, temporary, path, directory, disk } = this.#place;
      const { sums, crc32 } = this.#sums.finish();
      await this.#appender.flush(sums);
      await disk.syncFile(file);
      await file.close();
      await disk.rename(temporary, path);
      await directory.sync();
      this.#file = undefined;
      return { id, crc32 };
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

  /** Leaves nothing behind but what sweepTemporary removes; a failure here adds nothing. */
  async #discard(file: FileHandle): Promise<void> {
    this.#file = undefined;
    await this.#appender.abandon();
    const { temporary, path, disk } = this.#place;
    await Promise.allSettled([file.close(), disk.remove(temporary), disk.remove(path)]);
  }
}
