import type { PackedEntries } from "#meta/packed.ts";

/** What lmdb-js asks for keys and values; its buffers are good only until the next. */
export class RangeReader {
  readonly keyEncoder = {
    writeKey: (key: Uint8Array, into: Uint8Array, at: number): number => {
      into.set(key, at);
      return at + key.length;
    },
    readKey: (from: Uint8Array, start: number, end: number): Uint8Array => {
      if (this.#into === undefined) return copyOf(from, start, end);
      this.#into.keys.add(from, start + this.#keyFrom, end);
      return NOTHING;
    },
  };
  readonly encoder = {
    encode: (value: Uint8Array): Uint8Array => value,
    decode: (value: Uint8Array): Uint8Array => {
      if (this.#into === undefined) return copyOf(value, 0, value.length);
      this.#into.values.add(value, this.#valueFrom, value.length);
      return NOTHING;
    },
  };
  readonly #valueFrom: number;
  #keyFrom = 0;
  #into: PackedEntries | undefined;

  /** As many bytes before each value are nothing to a caller. */
  constructor(valueFrom: number) {
    this.#valueFrom = valueFrom;
  }

  /** What `range` goes through while it is gone through comes to stand in `into`. */
  pack(range: Iterable<unknown>, into: PackedEntries, keyFrom: number): PackedEntries {
    this.#into = into;
    this.#keyFrom = keyFrom;
    try {
      const entries = range[Symbol.iterator]();
      while (entries.next().done !== true);
    } finally {
      this.#into = undefined;
    }
    return into;
  }
}

const NOTHING = new Uint8Array(0);
const slice = Uint8Array.prototype.slice;

/** Of a Buffer it is one too. A Buffer's own slice would be a view. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return slice.call(bytes, from, to);
}
