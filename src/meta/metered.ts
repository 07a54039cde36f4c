import type { Soon } from "#base/soon.ts";
import type { PackedEntries } from "#meta/packed.ts";
import type { Change, Entry, KeyRange, MetaStore, PackedRange, Snapshot } from "#meta/store.ts";

export type CommitOutcome = "applied" | "refused" | "failed";

/** A MetaStore that tells how each commit ended. */
export class MeteredMetaStore implements MetaStore {
  readonly #inner: MetaStore;
  readonly #count: (outcome: CommitOutcome) => void;

  constructor(inner: MetaStore, count: (outcome: CommitOutcome) => void) {
    this.#inner = inner;
    this.#count = count;
  }

  get(key: Uint8Array): Soon<Entry | undefined> {
    return this.#inner.get(key);
  }

  scan(range: KeyRange): Promise<Entry[]> {
    return this.#inner.scan(range);
  }

  scanPacked(range: PackedRange): Promise<PackedEntries> {
    return this.#inner.scanPacked(range);
  }

  async commit(change: Change): Promise<number | undefined> {
    try {
      const sequence = await this.#inner.commit(change);
      this.#count(sequence === undefined ? "refused" : "applied");
      return sequence;
    } catch (cause) {
      this.#count("failed");
      throw cause;
    }
  }

  snapshot(): Snapshot {
    return this.#inner.snapshot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
