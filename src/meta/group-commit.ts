import { Gathering } from "#meta/gathering.ts";
import type { PendingCommit } from "#meta/pending-commit.ts";
import type { Change } from "#meta/store.ts";

/** Changes that one transaction carries at most: it bounds how long the event loop is held. */
const BATCH_CHANGES_MAX = 256;

/** Commits all in one transaction, in their order: resolves to the sequence of each, undefined where a guard was stale. */
export type CommitAll = (changes: readonly Change[]) => Promise<readonly (number | undefined)[]>;

/** Changes that wait together become one transaction, and share its sync. One transaction is made at a time. */
export class GroupCommit {
  readonly #commitAll: CommitAll;
  readonly #waiting: PendingCommit[] = [];
  readonly #gathering = new Gathering();
  #committing: Promise<void> | undefined;

  constructor(commitAll: CommitAll) {
    this.#commitAll = commitAll;
  }

  /** Fails: as the transaction does that it became part of. */
  commit(change: Change): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#gathering.stir();
      this.#committing ??= this.#drain();
    });
  }

  /** Resolves when nothing waits any more. */
  async atRest(): Promise<void> {
    await this.#committing;
  }

  async #drain(): Promise<void> {
    // Whoever asks within this turn of the event loop shares the first transaction.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_CHANGES_MAX);
      const beganMs = performance.now();
      await this.#commitTogether(batch);
      const tookMs = performance.now() - beganMs;
      await this.#gathering.wait(batch.length, tookMs, () => this.#waiting.length);
    }
    this.#committing = undefined;
  }

  async #commitTogether(batch: readonly PendingCommit[]): Promise<void> {
    try {
      const sequences = await this.#commitAll(batch.map(({ change }) => change));
      for (const [index, { resolve }] of batch.entries()) resolve(sequences[index]);
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    }
  }
}
