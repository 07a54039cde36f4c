import type { Sample } from "./sample.ts";

/** What may be held without end; garbage comes and goes, so that blobs are judged by what is live. */
const JUDGED = ["memoryBytes", "descriptors", "metadataBytes"] as const;
/** A quarter of the run may have so much more than an earlier one, and so many of them besides. */
const FACTOR_MAX = 1.5;
const SLACK = { memoryBytes: 64 * 2 ** 20, descriptors: 64, metadataBytes: 64 * 2 ** 20 };
const SAMPLES_MIN = 16;

export interface Growth {
  readonly name: (typeof JUDGED)[number];
  /** The median of the second quarter, when all is warm, and that of the last. */
  readonly before: number;
  readonly after: number;
  readonly isBounded: boolean;
}

/** Whether it holds more and more. Nothing can be said of a short run. */
export function growthOf(samples: readonly Sample[]): readonly Growth[] {
  if (samples.length < SAMPLES_MIN) return [];
  const quarter = Math.floor(samples.length / 4);
  return JUDGED.map((name) => {
    const before = median(samples.slice(quarter, 2 * quarter).map((each) => each[name]));
    const after = median(samples.slice(-quarter).map((each) => each[name]));
    return { name, before, after, isBounded: after <= before * FACTOR_MAX + SLACK[name] };
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
