import type { FileHandle } from "node:fs/promises";
import { type Disk, systemDisk } from "#blob/disk.ts";

/**
 * Makes names in one directory durable. It is opened at its first sync and stays open until it is closed,
 * which a store does at its end: a worker that has written a blob to each of its 256 has 256 descriptors more.
 */
export class Directory {
  readonly #path: string | Buffer;
  readonly #disk: Pick<Disk, "openDirectory" | "syncDirectory">;
  #file: FileHandle | undefined;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    path: string | Buffer,
    disk: Pick<Disk, "openDirectory" | "syncDirectory"> = systemDisk,
  ) {
    this.#path = path;
    this.#disk = disk;
  }

  /** Resolves after an fsync that began after this call; callers who wait together share one. */
  sync(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined;
      const sync = this.#sync();
      this.#last = sync.catch(() => {});
      return sync;
    });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
  }

  async #sync(): Promise<void> {
    this.#file ??= await this.#disk.openDirectory(this.#path);
    await this.#disk.syncDirectory(this.#file);
  }
}
