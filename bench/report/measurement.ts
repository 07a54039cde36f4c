/** One line of the table: one target in one row. */
export interface Measurement {
  readonly row: string;
  readonly target: string;
  /** What `perSecond` and the processor times count. */
  readonly unit: "op" | "key";
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly mbPerSecond?: number | undefined;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  readonly serverCpuUs?: number | undefined;
  readonly driverCpuUs?: number | undefined;
  readonly rssMaxBytes?: number | undefined;
  readonly anonMaxBytes?: number | undefined;
  readonly errors: number;
  readonly note?: string | undefined;
}

/** A ratio that Lode is meant to reach against a baseline of the same run. */
export interface TargetRatio {
  readonly name: string;
  readonly baseline: string;
  readonly lodePerSecond: number;
  readonly baselinePerSecond: number;
  readonly ratio: number;
  /** Processor time of the baseline by that of Lode, for one request: what noise disturbs least. */
  readonly cpuRatio?: number | undefined;
  /** That it would be reached by processor time is said when it is not by rate. */
  readonly cpuCounts?: true | undefined;
  /** Absent for ratios that are only shown. */
  readonly wanted?: number | undefined;
}

/** The round in the middle by speed, so that one disturbed round decides nothing. */
export function medianOf(rounds: readonly Measurement[]): Measurement | undefined {
  const sorted = [...rounds].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) return undefined;
  const most = (pick: (round: Measurement) => number | undefined): number | undefined => {
    const values = rounds.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  return {
    ...middle,
    errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
    rssMaxBytes: most(({ rssMaxBytes }) => rssMaxBytes),
    anonMaxBytes: most(({ anonMaxBytes }) => anonMaxBytes),
  };
}
