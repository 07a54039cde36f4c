/** Each power of two is split into this many buckets, so a value is off by less than 1 %. */
const STEPS = 128;
const EXPONENTS = 26;

/** The filled buckets of a histogram: index and count. */
export type HistogramData = readonly (readonly [index: number, count: number])[];

/** Latencies in microseconds, from 1 µs to about two hours, in a fixed amount of memory. */
export class Histogram {
  readonly #counts = new Float64Array(STEPS * EXPONENTS);
  #total = 0;

  record(us: number): void {
    const index = bucketOf(us);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  add(data: HistogramData): void {
    for (const [index, count] of data) {
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
      this.#total += count;
    }
  }

  /** The latency in microseconds that `share` (0 to 1) of the values do not exceed. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(this.#total * share));
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return middleOf(index);
    }
    return 0;
  }

  data(): HistogramData {
    return [...this.#counts.entries()].filter(([, count]) => count > 0);
  }
}

function bucketOf(us: number): number {
  const value = Math.max(0, Math.round(us));
  if (value < STEPS) return value;
  const exponent = Math.floor(Math.log2(value)) - Math.log2(STEPS);
  const step = Math.floor(value / 2 ** exponent) - STEPS;
  return Math.min((exponent + 1) * STEPS + step, STEPS * EXPONENTS - 1);
}

/** The middle of a bucket. */
function middleOf(index: number): number {
  if (index < STEPS) return index;
  const exponent = Math.floor(index / STEPS) - 1;
  return (STEPS + (index % STEPS) + 0.5) * 2 ** exponent;
}
