import type { FileHandle } from "node:fs/promises";
import { BUFFER_BYTES, writeBuffers } from "#blob/buffer-pool.ts";
import { type Disk, systemDisk } from "#blob/disk.ts";
import { EarlySync } from "#blob/early-sync.ts";

/** What is shorter is copied, so that no write carries many pieces and keeps much more than them alive. */
const KEPT_BYTES_MIN = 16 * 1_024;

/**
 * Writes to an open file from an offset on: chunks that stay are kept, and others copied into one buffer,
 * until there is enough for a write; the write before goes on meanwhile, and so does a sync of what a large file
 * has. Takes one call at a time; the file stays the caller's, who syncs it at the end.
 * Fails: as the system does, perhaps in a later call.
 */
export class FileAppender {
  readonly #file: FileHandle;
  readonly #disk: Pick<Disk, "write">;
  readonly #sync: EarlySync;
  #filling: Buffer | undefined;
  #filledBytes = 0;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Where the next byte goes that is given to the system. */
  #at: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, at = 0, disk: Pick<Disk, "write" | "syncFile"> = systemDisk) {
    this.#file = file;
    this.#disk = disk;
    this.#sync = new EarlySync(file, disk);
    this.#at = at;
  }

  /** Keeps no reference to `chunk` once the promise resolves, unless it stays. */
  async write(chunk: Uint8Array, { stays } = { stays: false }): Promise<void> {
    if (stays && chunk.length >= KEPT_BYTES_MIN) return await this.#keep(chunk);
    if (chunk.length >= BUFFER_BYTES) {
      await this.#written();
      return await this.#append([chunk]);
    }
    await this.#sendKept();
    for (let at = 0; at < chunk.length; ) {
      this.#filling ??= writeBuffers.take();
      const count = Math.min(chunk.length - at, this.#filling.length - this.#filledBytes);
      this.#filling.set(chunk.subarray(at, at + count), this.#filledBytes);
      this.#filledBytes += count;
      at += count;
      if (this.#filledBytes === this.#filling.length) await this.#sendFilled();
    }
  }

  /**
   * Writes `last` too, which stays, in the same call if it can be. Resolves when the system has all that was written,
   * and does nothing with the file any more.
   */
  async flush(last: readonly Uint8Array[] = []): Promise<void> {
    if (this.#filling === undefined) this.#kept.push(...last);
    else for (const chunk of last) await this.write(chunk);
    await this.#written();
    await this.#sync.end();
  }

  /** Ends it early: waits for what is under way, and forgets the rest. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await Promise.allSettled([this.#sync.end()]);
    if (this.#filling !== undefined) writeBuffers.give(this.#filling, { again: true });
    this.#filling = undefined;
    this.#kept = [];
    this.#keptBytes = 0;
  }

  async #written(): Promise<void> {
    await this.#sendFilled();
    await this.#sendKept();
    await this.#writing;
  }

  async #keep(chunk: Uint8Array): Promise<void> {
    if (this.#filling !== undefined) await this.#sendFilled();
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes >= BUFFER_BYTES) await this.#sendKept();
  }

  /** Starts writing what is collected, when the write before has ended. */
  async #sendFilled(): Promise<void> {
    const buffer = this.#filling;
    if (buffer === undefined) return;
    await this.#writing;
    const bytes = buffer.subarray(0, this.#filledBytes);
    this.#filling = undefined;
    this.#filledBytes = 0;
    this.#begin(this.#append([bytes]).finally(() => writeBuffers.give(buffer, { again: true })));
  }

  async #sendKept(): Promise<void> {
    if (this.#kept.length === 0) return;
    await this.#writing;
    const pieces = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#begin(this.#append(pieces));
  }

  #begin(writing: Promise<void>): void {
    this.#writing = writing;
    writing.catch(() => {}); // Told when it is next waited for.
  }

  async #append(pieces: readonly Uint8Array[]): Promise<void> {
    for (let left = pieces; left.length > 0; ) {
      const count = await this.#disk.write(this.#file, left, this.#at);
      this.#at += count;
      this.#sync.written(count);
      left = after(left, count);
    }
  }
}

/** What is left of the pieces when so many bytes of them are done. */
function after(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let done = bytes;
  for (const [index, piece] of pieces.entries()) {
    if (done < piece.length) return [piece.subarray(done), ...pieces.slice(index + 1)];
    done -= piece.length;
  }
  return [];
}
