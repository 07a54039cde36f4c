import { assert } from "#base/assert.ts";
import { PackedEntries } from "#meta/packed.ts";
import type { PackedRange } from "#meta/store.ts";

/** So many entries are passed over in less time than it takes to seek behind them. */
const STEPS_MAX = 4;

/** A packed scan under way: what a reader comes across is added, or left out. */
export class Packing {
  readonly entries: PackedEntries;
  readonly #asked: PackedRange;
  /** What begins with as many bytes of the last key added is left out; 0 for nothing. */
  #commonBytes = 0;
  #isLeftOut = false;
  /** One after a seek: where it was worth while once, it mostly is again. */
  #stepsMax = STEPS_MAX;
  /** The key that was read last. */
  #source: Uint8Array = NOTHING;
  #start = 0;

  constructor(asked: PackedRange) {
    this.entries = new PackedEntries(asked.limit, asked.keysOnly === true ? 0 : undefined);
    this.#asked = asked;
  }

  /** Of a reader that comes from key to key; the bytes `start <= i < end` of `source` are one. */
  addKey(source: Uint8Array, start: number, end: number): void {
    const from = start + this.#asked.keyFrom;
    const { keys, values } = this.entries;
    this.#source = source;
    this.#start = start;
    const common = this.#commonBytes;
    this.#isLeftOut = common > 0 && end - from >= common && keys.beginsAsLast(source, from, common);
    if (this.#isLeftOut) return;
    keys.add(source, from, end);
    if (this.#asked.keysOnly === true) values.add(NOTHING, 0, 0);
  }

  /** The value of the key that came last, from `start` on. */
  addValue(source: Uint8Array, start: number): void {
    if (this.#isLeftOut) return;
    const { keepBytes } = this.#asked;
    const kept = keepBytes?.(source.subarray(start, source.length));
    this.entries.values.add(source, start, kept === undefined ? source.length : start + kept);
  }

  /** Goes through a range, by which all is added; where to go on, when that is not its end. */
  through(range: Iterable<unknown>): Buffer | undefined {
    const { limit, leaveOut } = this.#asked;
    const { keys } = this.entries;
    if (keys.count === limit) return undefined;
    let steps = this.#isLeftOut ? -1 : 0;
    for (const _ of range) {
      if (this.#isLeftOut) {
        assert(steps >= 0, "a range begins where it was told to");
        steps += 1;
        if (steps < this.#stepsMax) continue;
        this.#stepsMax = Math.max(1, this.#stepsMax >> 1);
        return this.#behindCommon();
      }
      if (keys.count === limit) return undefined;
      if (steps > 0) this.#stepsMax = Math.min(STEPS_MAX, this.#stepsMax + 1);
      steps = 0;
      if (leaveOut !== undefined) this.#commonBytes = leaveOut(this.entries);
    }
    return undefined;
  }

  /** The first key behind those that begin as the one that was read last. */
  #behindCommon(): Buffer {
    let bytes = this.#asked.keyFrom + this.#commonBytes;
    while (bytes > 0 && this.#source[this.#start + bytes - 1] === 0xff) bytes -= 1;
    assert(bytes > 0, "keys begin with a letter");
    const key = Buffer.allocUnsafe(bytes);
    for (let at = 0; at < bytes; at += 1) key[at] = this.#source[this.#start + at] ?? 0;
    key[bytes - 1] = (key[bytes - 1] ?? 0) + 1;
    return key;
  }
}

const NOTHING = new Uint8Array(0);
