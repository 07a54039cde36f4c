import { type CheckOptions, type CheckReport, check } from "#check/check.ts";
import type { ProblemKind } from "#check/problem.ts";
import type { Stores } from "#versioned/store.ts";

/** A check of stores that nobody else writes to, with every blob read. */
export async function checked(
  { meta, blobs, clock }: Pick<Stores, "meta" | "blobs" | "clock">,
  options: Partial<CheckOptions> = {},
): Promise<CheckReport> {
  return await check({
    ...{ meta, blobs, clock, isServed: false, repair: false, discard: false },
    checksumBytesPerSecond: 2 ** 40,
    progress: () => undefined,
    ...options,
  });
}

/** How many of each kind there are. */
export function kindsOf({ problems }: CheckReport): Partial<Record<ProblemKind, number>> {
  return Object.fromEntries(problems.map(({ kind, count }) => [kind, count]));
}

/** How many of each kind were not mended. */
export function leftOf({ problems }: CheckReport): Partial<Record<ProblemKind, number>> {
  const left = problems.filter(({ count, mended }) => count > mended);
  return Object.fromEntries(left.map(({ kind, count, mended }) => [kind, count - mended]));
}
