import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BaselineOptions } from "../baseline/options.ts";
import type { Bench } from "../bench.ts";
import type { Job } from "../driver/job.ts";
import { type Measurement, medianOf } from "../report/measurement.ts";
import { type Cell, sizeText } from "../scale.ts";
import { runProgram } from "../target/program.ts";
import { ServerProcess } from "../target/server-process.ts";
import type { Target } from "../target/target.ts";
import { measureLoad } from "./measure.ts";
import { putJob } from "./objects.ts";

/** Durable small PUTs against one durable file per object with as many threads. */
const SYNC_FILE_WANTED = 5;
/** And against records in one log without a network, a signature or an index. */
const LOG_WANTED = 0.5;

export interface Comparison {
  readonly target: Target;
  readonly script: string;
  readonly name: string;
  readonly cell: Cell;
  readonly wanted: number;
  /** What is wanted is wanted of the processor time: a rate is the driver's, too. */
  readonly cpuCounts?: true;
  readonly headers?: Readonly<Record<string, string>>;
  readonly jobFor: (server: Target, round: string) => Job;
}

/** Starts a baseline server and gives it and the target the same load in turn. */
export async function compareLoad(bench: Bench, comparison: Comparison): Promise<void> {
  const { target, cell, name, jobFor } = comparison;
  const directory = join(bench.directory, "baseline");
  await mkdir(directory, { recursive: true });
  {
    await using server = await ServerProcess.start({
      args: baselineArgs(bench, comparison.script, {
        ...cell,
        ...{ directory, seconds: 0, headers: comparison.headers ?? {} },
      }),
      env: {},
    });
    const endpoint = { ...target.endpoint, host: "127.0.0.1", port: server.port };
    const baseline: Target = { name, endpoint, pid: server.pid, bucket: "baseline" };
    const method = jobFor(target, "").kind.toUpperCase();
    const row = `${method} ${sizeText(cell.sizeBytes)} x${cell.connections}, target`;
    const measure = (on: Target, round: string): Promise<Measurement> =>
      measureLoad(bench, on, { row, job: jobFor(on, round) });
    await inTurn(bench, {
      row,
      wanted: [comparison.wanted],
      ...(comparison.cpuCounts && { cpuCounts: true }),
      baselines: [(round) => measure(baseline, round)],
      target: (round) => measure(target, round),
    });
  }
  await rm(directory, { recursive: true });
}

/** PUT against what the disk takes: one file each with 64 and with 4 threads, and one log. */
export async function comparePrograms(bench: Bench, target: Target, cell: Cell): Promise<void> {
  const row = `PUT ${sizeText(cell.sizeBytes)} x${cell.connections}, target`;
  const seconds = bench.scale.targetRoundSeconds;
  const program = (script: string, threads: number, name: string) => async () => {
    const directory = join(bench.directory, "baseline");
    await mkdir(directory, { recursive: true });
    const args = baselineArgs(bench, script, { ...cell, directory, seconds, headers: {} });
    const measured = await runProgram({ args, threads, row, name });
    await rm(directory, { recursive: true });
    return measured;
  };
  await inTurn(bench, {
    row,
    wanted: [SYNC_FILE_WANTED, undefined, LOG_WANTED],
    baselines: [
      program("sync-file.ts", cell.connections, `file + sync, ${cell.connections} threads`),
      program("sync-file.ts", 4, "file + sync, 4 threads"),
      program("group-commit.ts", 4, "group-commit log"),
    ],
    target: (round) =>
      measureLoad(bench, target, {
        row,
        job: putJob(target, cell, { prefix: `target/${round}/`, seconds }),
      }),
  });
}

interface Turns {
  readonly row: string;
  readonly wanted: readonly (number | undefined)[];
  readonly cpuCounts?: true;
  readonly baselines: readonly ((round: string) => Promise<Measurement>)[];
  readonly target: (round: string) => Promise<Measurement>;
}

/**
 * Baseline, target, baseline, target …: the ratio is the median over the rounds, since what shares
 * a round also shares what disturbs it.
 */
export async function inTurn(bench: Bench, turns: Turns): Promise<void> {
  const baselines = turns.baselines.map((): Measurement[] => []);
  const targets: Measurement[] = [];
  for (let round = 0; round < bench.scale.targetRounds; round += 1) {
    for (const [index, run] of turns.baselines.entries()) {
      baselines[index]?.push(await run(`${round}`));
    }
    targets.push(await turns.target(`${round}`));
  }
  const lode = medianOf(targets);
  if (lode === undefined) return;
  for (const [index, rounds] of baselines.entries()) {
    const baseline = medianOf(rounds);
    if (baseline === undefined) continue;
    bench.ledger.record(baseline);
    bench.ledger.ratios.push({
      name: turns.row.replace(", target", ""),
      baseline: baseline.target,
      lodePerSecond: lode.perSecond,
      baselinePerSecond: baseline.perSecond,
      ratio: medianRatio(targets, rounds),
      cpuRatio: cpuRatioOf(baseline, lode),
      cpuCounts: turns.cpuCounts,
      wanted: turns.wanted[index],
    });
  }
  bench.ledger.record(lode);
}

function cpuRatioOf(baseline: Measurement, lode: Measurement): number | undefined {
  if (baseline.serverCpuUs === undefined || lode.serverCpuUs === undefined) return undefined;
  return baseline.serverCpuUs / lode.serverCpuUs;
}

function medianRatio(targets: readonly Measurement[], baselines: readonly Measurement[]): number {
  const ratios = targets.map(
    ({ perSecond }, round) => perSecond / (baselines[round]?.perSecond ?? Number.NaN),
  );
  ratios.sort((a, b) => a - b);
  return ratios[Math.floor((ratios.length - 1) / 2)] ?? Number.NaN;
}

function baselineArgs(
  { workers }: Bench,
  script: string,
  options: Omit<BaselineOptions, "workers">,
): string[] {
  const path = fileURLToPath(new URL(`../baseline/${script}`, import.meta.url));
  return [path, JSON.stringify({ ...options, workers } satisfies BaselineOptions)];
}
