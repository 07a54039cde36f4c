import { asBuffer } from "#base/bytes.ts";
import type { PackedEntries } from "#meta/packed.ts";
import { Packing } from "#meta/packing.ts";
import type { PackedRange } from "#meta/store.ts";

/** What lmdb-js asks for keys and values; its buffers are good only until the next. */
export class RangeReader {
  readonly keyEncoder = {
    writeKey: (key: Uint8Array, into: Uint8Array, at: number): number => {
      into.set(key, at);
      return at + key.length;
    },
    readKey: (from: Uint8Array, start: number, end: number): Uint8Array => {
      if (this.#packing === undefined) return copyOf(from, start, end);
      this.#packing.addKey(from, start, end);
      return NOTHING;
    },
  };
  readonly encoder = {
    encode: (value: Uint8Array): Uint8Array => value,
    decode: (value: Uint8Array): Uint8Array => {
      if (this.#packing === undefined) return copyOf(value, 0, value.length);
      this.#packing.addValue(value, this.#valueFrom);
      return NOTHING;
    },
  };
  readonly #valueFrom: number;
  #packing: Packing | undefined;

  /** As many bytes before each value are nothing to a caller. */
  constructor(valueFrom: number) {
    this.#valueFrom = valueFrom;
  }

  /** `rangeFrom` gives what is to be gone through from a key on. */
  pack(asked: PackedRange, rangeFrom: (key: Buffer) => Iterable<unknown>): PackedEntries {
    const packing = new Packing(asked);
    this.#packing = packing;
    try {
      let from: Buffer | undefined = asBuffer(asked.from);
      while (from !== undefined) from = packing.through(rangeFrom(from));
    } finally {
      this.#packing = undefined;
    }
    return packing.entries;
  }
}

const NOTHING = new Uint8Array(0);
const slice = Uint8Array.prototype.slice;

/** Of a Buffer it is one too. A Buffer's own slice would be a view. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return slice.call(bytes, from, to);
}
