import type { ClosedKeys } from "#versioned/closed-keys.ts";
import type { ShownHead } from "#versioned/head.ts";
import type { HeadBatch } from "#versioned/head-batch.ts";
import { VERSION_CLOSE_BYTES } from "#versioned/keys.ts";

/** Versions beside the heads of their keys, which have all that a list shows of those that are current. */
export class CurrentVersions {
  readonly keys: ClosedKeys;
  readonly #heads: HeadBatch;
  /** By version: where the head of its key is, -1 for nowhere. */
  readonly #headAt: Int32Array;

  /** Heads may be missing, and may have been read later: what is shown of a version never changes. */
  constructor(keys: ClosedKeys, heads: HeadBatch) {
    this.keys = keys;
    this.#heads = heads;
    this.#headAt = heads.positionsOf(keys.packed, VERSION_CLOSE_BYTES);
  }

  keyOf(index: number): string {
    const at = this.#headAt[index] ?? -1;
    return at < 0 ? this.keys.keyOf(index) : this.#heads.keyOf(at);
  }

  has(index: number): boolean {
    const at = this.#headAt[index] ?? -1;
    return at >= 0 && this.#heads.sequenceOf(at) === this.keys.stampOf(index);
  }

  /** Of one that is current. Fails: StorageError "corrupt". */
  shown(index: number, key: string): ShownHead {
    return this.#heads.shown(this.#headAt[index] ?? -1, key);
  }
}
