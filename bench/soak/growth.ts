import type { Sample } from "./sample.ts";

/**
 * What must not grow for ever. Blobs are judged by what of them is garbage; descriptors of blob directories
 * are not, since there is one for each directory in each worker and no more.
 */
const JUDGED = ["memoryBytes", "descriptors", "metadataBytes", "garbageBytes"] as const;
/** A quarter of the run may have so much more than an earlier one, and so many of them besides. */
const FACTOR_MAX = 1.5;
const MIB = 2 ** 20;
const SLACK = {
  memoryBytes: 64 * MIB,
  descriptors: 64,
  metadataBytes: 64 * MIB,
  garbageBytes: 256 * MIB,
};
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
