import type { Bench } from "../bench.ts";
import { Unsupported } from "../client/session.ts";
import { Histogram } from "../driver/histogram.ts";
import type { Job, LoadResult } from "../driver/job.ts";
import { type Measurement, medianOf } from "../report/measurement.ts";
import { Meter, type Usage } from "../target/meter.ts";
import type { Target } from "../target/target.ts";

/** A cell whose round lasts so many times its plan has said enough in one round. */
const SLOW_ROUND_FACTOR = 4;

/** The system counts in steps of 10 ms, so that less than a few steps says nothing. */
const CPU_US_MIN = 30_000;

/** What a step-by-step row did. */
export interface Work {
  readonly unit: "op" | "key";
  readonly count: number;
  readonly bytes?: number;
  readonly latenciesMs: readonly number[];
  readonly note?: string | undefined;
}

/** One round of load by the driver processes. */
export async function measureLoad(
  bench: Bench,
  target: Target,
  load: { readonly row: string; readonly job: Job },
): Promise<Measurement> {
  const go = await bench.fleet.prepare(load.job);
  using meter = new Meter(target.pid);
  const result = await go();
  const usage = meter.usage();
  if (result.errors > 0) {
    bench.ledger.fail(
      `${load.row}, ${target.name}: ${result.errors} of ${result.ops} answers wrong, the first: ${result.errorSample}`,
    );
  }
  return {
    row: load.row,
    target: target.name,
    ...loadFigures(result),
    ...usageFigures(usage, result.ops),
  };
}

/** One round of a row that this process drives itself, step by step. */
export async function measureWork(
  target: Target,
  row: string,
  work: () => Promise<Work>,
): Promise<Measurement> {
  using meter = new Meter(target.pid);
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const { unit, count, bytes, latenciesMs, note } = await work();
  const seconds = (performance.now() - begin) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const usage = meter.usage();
  const histogram = new Histogram();
  for (const ms of latenciesMs) histogram.record(ms * 1000);
  return {
    row,
    target: target.name,
    unit,
    count,
    seconds,
    perSecond: count / seconds,
    mbPerSecond: bytes === undefined ? undefined : bytes / 1e6 / seconds,
    ...latencies(histogram),
    driverCpuUs: (cpu.user + cpu.system) / count,
    errors: 0,
    note,
    ...usageFigures(usage, count),
  };
}

/**
 * Measures every target in turn, round after round, and records each one's median. A target that
 * does not offer the operation gets a note; one that fails gets an error; the others go on.
 */
export async function interleave(
  bench: Bench,
  row: string,
  measure: (target: Target, round: number) => Promise<Measurement>,
): Promise<void> {
  const results = new Map<Target, Measurement[]>(bench.targets.map((target) => [target, []]));
  for (let round = 0; round < bench.scale.rounds; round += 1) {
    for (const [target, rounds] of results) {
      const last = rounds.at(-1);
      if (last && last.seconds > bench.scale.roundSeconds * SLOW_ROUND_FACTOR) continue;
      const result = await attempt(bench, { row, target }, () => measure(target, round));
      if (result === undefined) results.delete(target);
      else rounds.push(result);
    }
  }
  for (const rounds of results.values()) {
    const median = medianOf(rounds);
    if (median !== undefined) bench.ledger.record(median);
  }
}

/** Does something for one row of one target; what it throws becomes a note or an error. */
export async function attempt<T>(
  bench: Bench,
  what: { readonly row: string; readonly target: Target },
  act: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { row, target } = what;
    if (error instanceof Unsupported) bench.ledger.skip(row, target.name, `left out: ${message}`);
    else bench.ledger.fail(`${row}, ${target.name}: ${message}`);
    return undefined;
  }
}

function loadFigures(result: LoadResult): Omit<Measurement, "row" | "target"> {
  const { ops, bytes, seconds, cpuUs, errors } = result;
  const histogram = new Histogram();
  histogram.add(result.histogram);
  return {
    unit: "op",
    count: ops,
    seconds,
    perSecond: ops / seconds,
    mbPerSecond: bytes === 0 ? undefined : bytes / 1e6 / seconds,
    ...latencies(histogram),
    driverCpuUs: cpuUs / ops,
    errors,
  };
}

function latencies(histogram: Histogram): Pick<Measurement, "p50Ms" | "p99Ms"> {
  return { p50Ms: histogram.percentile(0.5) / 1000, p99Ms: histogram.percentile(0.99) / 1000 };
}

function usageFigures(usage: Usage | undefined, count: number): Partial<Measurement> {
  if (usage === undefined) return {};
  return {
    serverCpuUs: usage.cpuUs < CPU_US_MIN ? undefined : usage.cpuUs / count,
    rssMaxBytes: usage.memoryMax.rssBytes,
    anonMaxBytes: usage.memoryMax.anonBytes,
  };
}
