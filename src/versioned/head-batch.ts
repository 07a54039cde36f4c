import { isAscii } from "node:buffer";
import type { PackedBytes, PackedEntries } from "#meta/packed.ts";
import type { ListedObject } from "#object/engine.ts";
import { HeadsRead, type ShownHead } from "#versioned/head.ts";
import type { Batch } from "#versioned/walk.ts";

/**
 * Heads as a list shows them. Keys that stand side by side become text all at once, and each is a slice of
 * it: a call for each would be most of a list's work.
 */
export class HeadBatch implements Batch<ListedObject> {
  readonly count: number;
  /** What stands before the object key in each head's key. */
  readonly #stem: Buffer;
  readonly #keys: PackedBytes;
  readonly #bytes: Buffer;
  /** The same when all is ASCII: a character is a byte. */
  readonly #text: string | undefined;
  readonly #heads: HeadsRead;

  /** Of heads whose keys are packed from the object key on. Fails: StorageError "corrupt". */
  constructor({ keys, values }: PackedEntries, stem: Buffer) {
    this.count = keys.count;
    this.#stem = stem;
    this.#keys = keys;
    this.#bytes = keys.bytes;
    this.#text = isAscii(this.#bytes) ? this.#bytes.toString("latin1") : undefined;
    this.#heads = new HeadsRead(values);
  }

  keyOf(index: number): string {
    const [from, to] = [this.#keys.startOf(index), this.#keys.endOf(index)];
    return this.#text?.slice(from, to) ?? this.#bytes.toString("utf8", from, to);
  }

  read(index: number, key: string): ListedObject | undefined {
    return this.#heads.listed(index, key);
  }

  isShown(index: number): boolean {
    return !this.#heads.isMarker(index);
  }

  sequenceOf(index: number): number {
    return this.#heads.sequenceOf(index);
  }

  /** As `read`, of a delete marker too. Fails: StorageError "corrupt". */
  shown(index: number, key: string): ShownHead {
    return this.#heads.shown(index, key);
  }

  /**
   * For each of `others`, in key order too: where the head of its key is, -1 for nowhere. As many bytes at
   * the end of each are none of its key; that of a key which is escaped is not found.
   */
  positionsOf(others: PackedBytes, closeBytes: number): Int32Array {
    const positions = new Int32Array(others.count);
    const bytes = others.bytes;
    let at = 0;
    for (let index = 0; index < others.count; index += 1) {
      const key = { bytes, from: others.startOf(index), to: others.endOf(index) - closeBytes };
      let order = this.#orderOf(at, key);
      while (order < 0) {
        at += 1;
        order = this.#orderOf(at, key);
      }
      positions[index] = order === 0 ? at : -1;
    }
    return positions;
  }

  storeKeyOf(index: number): Buffer {
    const key = this.#bytes.subarray(this.#keys.startOf(index), this.#keys.endOf(index));
    return Buffer.concat([this.#stem, key]);
  }

  /** How the head at `index` stands to a key: below 0 before it, 0 at it; behind all there is none. */
  #orderOf(index: number, key: KeyBytes): number {
    if (index >= this.count) return 1;
    const from = this.#keys.startOf(index);
    const bytes = this.#keys.endOf(index) - from;
    const keyBytes = key.to - key.from;
    const common = Math.min(bytes, keyBytes);
    for (let offset = 0; offset < common; offset += 1) {
      const order = (this.#bytes[from + offset] ?? 0) - (key.bytes[key.from + offset] ?? 0);
      if (order !== 0) return order;
    }
    return bytes - keyBytes;
  }
}

interface KeyBytes {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}
