import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import type { PackedBytes } from "#meta/packed.ts";
import { openClosedKey } from "#versioned/keys.ts";

/** What is the same in each key: what stands before the object key, and how much behind it. */
export interface ClosedBy {
  readonly stem: Buffer;
  readonly closeBytes: number;
}

/** The keys of versions or uploads that were read together, packed from the object key on. */
export class ClosedKeys {
  readonly packed: PackedBytes;
  readonly #stem: Buffer;
  readonly #closeBytes: number;
  readonly #bytes: Buffer;
  #text: string | undefined;

  constructor(packed: PackedBytes, { stem, closeBytes }: ClosedBy) {
    this.packed = packed;
    this.#stem = stem;
    this.#closeBytes = closeBytes;
    this.#bytes = packed.bytes;
  }

  get count(): number {
    return this.packed.count;
  }

  /** The object key. */
  keyOf(index: number): string {
    const from = this.packed.startOf(index);
    const to = this.packed.endOf(index) - this.#closeBytes;
    if (!this.#isPlain(from, to)) return openClosedKey(this.storeKeyOf(index)).key;
    // A character is a byte, here and in what is never shown.
    this.#text ??= this.#bytes.toString("latin1");
    return this.#text.slice(from, to);
  }

  /** The eight bytes behind a version's object key. */
  stampOf(index: number): number {
    return readStamp(this.#bytes, this.packed.endOf(index) - STAMP_BYTES);
  }

  storeKeyOf(index: number): Buffer {
    return Buffer.concat([this.#stem, this.packed.sliceOf(index)]);
  }

  /** ASCII, and nothing is escaped: behind a zero stands what is not. */
  #isPlain(from: number, to: number): boolean {
    for (let at = from; at < to; at += 1) {
      if ((this.#bytes[at] ?? 0) >= 0x80) return false;
    }
    return true;
  }
}
