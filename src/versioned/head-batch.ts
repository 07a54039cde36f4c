import { isAscii } from "node:buffer";
import type { PackedBytes, PackedEntries } from "#meta/packed.ts";
import type { ListedObject } from "#object/engine.ts";
import { HeadsRead } from "#versioned/head.ts";
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

  storeKeyOf(index: number): Buffer {
    const key = this.#bytes.subarray(this.#keys.startOf(index), this.#keys.endOf(index));
    return Buffer.concat([this.#stem, key]);
  }
}
