import type { FileHandle } from "node:fs/promises";
import { deadline } from "#base/clock.ts";

const IDLE_MS = 1_000;
const IDLE_MAX = 256;

/** A file that waits for its reader. */
export interface Kept {
  /** Once: it is the caller's to close now. undefined: it waited too long, and was closed. */
  readonly take: () => FileHandle | undefined;
}

/**
 * Files that were opened for an answer and of which nobody has read yet. Most are read in the same
 * moment; of an answer without a body nobody says that it never will be.
 */
export class IdleFiles implements AsyncDisposable {
  /** The longest idle first, and what ends its wait. */
  readonly #idle = new Map<FileHandle, { readonly cancel: () => void }>();
  readonly #closing = new Set<Promise<void>>();

  keep(file: FileHandle): Kept {
    const [oldest] = this.#idle.size >= IDLE_MAX ? this.#idle.keys() : [];
    if (oldest !== undefined) this.#close(oldest);
    this.#idle.set(
      file,
      deadline(IDLE_MS, () => this.#close(file)),
    );
    return { take: () => (this.#remove(file) ? file : undefined) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of [...this.#idle.keys()]) this.#close(file);
    await Promise.all(this.#closing);
  }

  #remove(file: FileHandle): boolean {
    this.#idle.get(file)?.cancel();
    return this.#idle.delete(file);
  }

  #close(file: FileHandle): void {
    if (!this.#remove(file)) return;
    // Closing what was only to be read loses nothing, whatever the system says to it.
    const closing: Promise<void> = file
      .close()
      .catch(() => {})
      .then(() => {
        this.#closing.delete(closing);
      });
    this.#closing.add(closing);
  }
}
