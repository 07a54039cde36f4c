import { type FileHandle, open } from "node:fs/promises";

/** Makes names in one directory durable. */
export class Directory {
  readonly #path: string | Buffer;
  #file: FileHandle | undefined;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(path: string | Buffer) {
    this.#path = path;
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
    this.#file ??= await open(this.#path, "r");
    await this.#file.sync();
  }
}
