/**
 * Holds two large sets against each other in little memory: which parts of them differ, and, looked at
 * again, in what. Each item falls into one of 65,536 lots by its hash; of a lot the difference of the
 * counts and of two sums of hashes is kept. A lot whose differences are all zero has the same items on
 * both sides, but for one chance in 2^64.
 */
const LOTS = 65_536;

export type Side = "there" | "due";

export class Tally {
  readonly #counts = new Int32Array(LOTS);
  readonly #sums = new Uint32Array(LOTS);
  readonly #others = new Uint32Array(LOTS);
  /** Of both sides together. */
  readonly #sizes = new Float64Array(LOTS);

  /** An item has to be added once on a side. */
  add(side: Side, item: string): void {
    const { lot, sum, other } = hashOf(item);
    const sign = side === "there" ? 1 : -1;
    this.#counts[lot] = (this.#counts[lot] ?? 0) + sign;
    this.#sums[lot] = (this.#sums[lot] ?? 0) + sign * sum;
    this.#others[lot] = (this.#others[lot] ?? 0) + sign * other;
    this.#sizes[lot] = (this.#sizes[lot] ?? 0) + 1;
  }

  /** The lots that differ, in groups of at most so many items, or of one lot. */
  *differing(itemsMax: number): Iterable<ReadonlySet<number>> {
    let lots = new Set<number>();
    let items = 0;
    for (let lot = 0; lot < LOTS; lot += 1) {
      if (this.#counts[lot] === 0 && this.#sums[lot] === 0 && this.#others[lot] === 0) continue;
      const size = this.#sizes[lot] ?? 0;
      if (lots.size > 0 && items + size > itemsMax) {
        yield lots;
        lots = new Set();
        items = 0;
      }
      lots.add(lot);
      items += size;
    }
    if (lots.size > 0) yield lots;
  }
}

export function lotOf(item: string): number {
  return hashOf(item).lot;
}

function hashOf(item: string): {
  readonly lot: number;
  readonly sum: number;
  readonly other: number;
} {
  let [first, second] = [0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < item.length; at += 1) {
    const char = item.charCodeAt(at);
    first = Math.imul(first ^ char, 0x01000193);
    second = Math.imul(second + char, 0x5bd1e995);
    second ^= second >>> 13;
  }
  const sum = mixed(first ^ (second << 7));
  return { lot: mixed(first) & (LOTS - 1), sum, other: mixed(second ^ 0x5bf03635) };
}

/** Every bit of the result depends on every bit. */
function mixed(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
