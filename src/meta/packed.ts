/** Below as many bytes a loop is faster than a call that copies. */
const LOOP_BYTES_MAX = 128;
const BYTES_AT_FIRST = 64;

/** Strings of bytes one behind the other: nothing is made for each of them. */
export class PackedBytes {
  #bytes: Buffer;
  readonly #ends: Uint32Array;
  #count = 0;
  #sizeBytes = 0;

  constructor(countMax: number) {
    this.#bytes = Buffer.allocUnsafe(countMax * BYTES_AT_FIRST);
    this.#ends = new Uint32Array(countMax);
  }

  get count(): number {
    return this.#count;
  }

  /** All of them. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }

  /** Where the one at `index` begins. */
  startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? this.#sizeBytes);
  }

  endOf(index: number): number {
    return this.#ends[index] ?? this.#sizeBytes;
  }

  /** The bytes `from <= i < to` of `source`. */
  add(source: Uint8Array, from: number, to: number): void {
    const at = this.#sizeBytes;
    const end = at + to - from;
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * end);
    const bytes = this.#bytes;
    if (end - at > LOOP_BYTES_MAX) bytes.set(source.subarray(from, to), at);
    else
      for (let index = 0; index < end - at; index += 1)
        bytes[at + index] = source[from + index] ?? 0;
    this.#sizeBytes = end;
    this.#ends[this.#count] = end;
    this.#count += 1;
  }
}

/** Entries in key order, without their revisions. */
export class PackedEntries {
  /** Each from `keyFrom` on. */
  readonly keys: PackedBytes;
  readonly values: PackedBytes;

  constructor(countMax: number) {
    this.keys = new PackedBytes(countMax);
    this.values = new PackedBytes(countMax);
  }
}
