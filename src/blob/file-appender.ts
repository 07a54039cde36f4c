import type { FileHandle } from "node:fs/promises";
import { BUFFER_BYTES, writeBuffers } from "#blob/buffer-pool.ts";
import { type Disk, systemDisk } from "#blob/disk.ts";

/**
 * Writes to an open file from an offset on, small chunks collected into one buffer while the one
 * before is being written. Takes one call at a time; the file stays the caller's.
 * Fails: as the system does, perhaps in a later call.
 */
export class FileAppender {
  readonly #file: FileHandle;
  readonly #disk: Pick<Disk, "write">;
  #filling: Buffer | undefined;
  #filledBytes = 0;
  /** Where the next byte goes that is given to the system. */
  #at: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, at = 0, disk: Pick<Disk, "write"> = systemDisk) {
    this.#file = file;
    this.#disk = disk;
    this.#at = at;
  }

  /** Keeps no reference to `chunk` once the promise resolves. */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length >= BUFFER_BYTES) {
      await this.flush();
      return await this.#append(chunk);
    }
    for (let at = 0; at < chunk.length; ) {
      this.#filling ??= writeBuffers.take();
      const count = Math.min(chunk.length - at, this.#filling.length - this.#filledBytes);
      this.#filling.set(chunk.subarray(at, at + count), this.#filledBytes);
      this.#filledBytes += count;
      at += count;
      if (this.#filledBytes === this.#filling.length) await this.#send();
    }
  }

  /** Resolves when the system has all that was written. */
  async flush(): Promise<void> {
    await this.#send();
    await this.#writing;
  }

  /** Ends it early: waits for what is under way, and forgets the rest. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    if (this.#filling !== undefined) writeBuffers.give(this.#filling, { again: true });
    this.#filling = undefined;
  }

  /** Starts writing what is collected, when the write before has ended. */
  async #send(): Promise<void> {
    const buffer = this.#filling;
    if (buffer === undefined) return;
    await this.#writing;
    const bytes = buffer.subarray(0, this.#filledBytes);
    this.#filling = undefined;
    this.#filledBytes = 0;
    this.#writing = this.#append(bytes).finally(() => writeBuffers.give(buffer, { again: true }));
    this.#writing.catch(() => {}); // Told when it is next waited for.
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const count = await this.#disk.write(this.#file, bytes.subarray(done), this.#at);
      done += count;
      this.#at += count;
    }
  }
}
