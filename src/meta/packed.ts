/** Below as many bytes a loop is faster than a call that copies. */
const LOOP_BYTES_MAX = 128;
const BYTES_AT_FIRST = 64;

/** Strings of bytes one behind the other: nothing is made for each of them. */
export class PackedBytes {
  #bytes: Buffer;
  readonly #ends: Uint32Array;
  #count = 0;
  #sizeBytes = 0;

  /** `bytesEach` is a guess. */
  constructor(countMax: number, bytesEach = BYTES_AT_FIRST) {
    this.#bytes = Buffer.allocUnsafe(countMax * bytesEach);
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

  /** The one at `index`, no copy. */
  sliceOf(index: number): Buffer {
    return this.#bytes.subarray(this.startOf(index), this.endOf(index));
  }

  byteAt(position: number): number | undefined {
    return position < this.#sizeBytes ? this.#bytes[position] : undefined;
  }

  /** Where `needle`, which is not empty, first lies whole within `from <= i < to`; -1 for nowhere. */
  find(needle: Uint8Array, from: number, to: number): number {
    const bytes = this.#bytes;
    const last = Math.min(to, this.#sizeBytes) - needle.length;
    for (let at = from; at <= last; at += 1) {
      let common = 0;
      while (common < needle.length && bytes[at + common] === needle[common]) common += 1;
      if (common === needle.length) return at;
    }
    return -1;
  }

  /** Whether as many bytes of `source`, from `from` on, are those with which the last of these begins. */
  beginsAsLast(source: Uint8Array, from: number, bytes: number): boolean {
    const start = this.startOf(this.#count - 1);
    // Neighbours differ at the end.
    for (let at = bytes - 1; at >= 0; at -= 1) {
      if (this.#bytes[start + at] !== source[from + at]) return false;
    }
    return true;
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
  /** As much of each as was asked for. */
  readonly values: PackedBytes;

  constructor(countMax: number, valueBytesEach?: number) {
    this.keys = new PackedBytes(countMax);
    this.values = new PackedBytes(countMax, valueBytesEach);
  }
}
