import type { FileHandle } from "node:fs/promises";
import type { Disk } from "#blob/disk.ts";

/** So much of a file is written before it is worth a sync of its own. */
export const EARLY_SYNC_BYTES = 4 * 2 ** 20;

/** Of this process: a sync holds one of the few threads that every read and write needs. */
let isUnderWay = false;

/**
 * Has a large file taken to the disk while more of it comes, so that the sync at its end finds little left to do.
 * Of all files of a process one at a time: where several grow, the disk has enough to do without.
 */
export class EarlySync {
  readonly #file: FileHandle;
  readonly #disk: Pick<Disk, "syncFile">;
  #unsyncedBytes = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, disk: Pick<Disk, "syncFile">) {
    this.#file = file;
    this.#disk = disk;
  }

  /** The system has so many bytes more. */
  written(bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < EARLY_SYNC_BYTES || isUnderWay) return;
    this.#unsyncedBytes = 0;
    isUnderWay = true;
    const syncing = this.#syncing.then(() => this.#disk.syncFile(this.#file));
    this.#syncing = syncing.finally(() => {
      isUnderWay = false;
    });
    this.#syncing.catch(() => {}); // Told at the end.
  }

  /**
   * None is under way. Fails: as the system does; it tells of what it could not write once, perhaps here, and
   * a sync behind it succeeds.
   */
  async end(): Promise<void> {
    await this.#syncing;
  }
}
