import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import type { Entry } from "#meta/store.ts";
import { openClosedKey } from "#versioned/keys.ts";
import type { Batch } from "#versioned/walk.ts";

/** Versions or uploads, each read by itself. */
export class EntryBatch<Item> implements Batch<Item> {
  readonly #entries: readonly Entry[];
  readonly #read: (entry: Entry, key: string) => Item;

  constructor(entries: readonly Entry[], read: (entry: Entry, key: string) => Item) {
    this.#entries = entries;
    this.#read = read;
  }

  get count(): number {
    return this.#entries.length;
  }

  keyOf(index: number): string {
    return openClosedKey(this.storeKeyOf(index)).key;
  }

  read(index: number, key: string): Item {
    return this.#read(this.#at(index), key);
  }

  storeKeyOf(index: number): Buffer {
    return asBuffer(this.#at(index).key);
  }

  #at(index: number): Entry {
    const entry = this.#entries[index];
    assert(entry !== undefined, "a walk asks for what was read");
    return entry;
  }
}
