import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ProgramResult } from "../baseline/program.ts";
import { Histogram } from "../driver/histogram.ts";
import type { Measurement } from "../report/measurement.ts";

export interface Program {
  readonly args: readonly string[];
  /** Of libuv, which does Node's file work. */
  readonly threads: number;
  readonly row: string;
  readonly name: string;
}

/** Runs a baseline that is no server and reads the result it prints. */
export async function runProgram({ args, threads, row, name }: Program): Promise<Measurement> {
  const { stdout } = await promisify(execFile)(process.execPath, [...args], {
    env: { ...process.env, UV_THREADPOOL_SIZE: String(threads) },
  });
  const { ops, seconds, cpuUs, histogram }: ProgramResult = JSON.parse(stdout);
  const latencies = new Histogram();
  latencies.add(histogram);
  return {
    row,
    target: name,
    unit: "op",
    count: ops,
    seconds,
    perSecond: ops / seconds,
    p50Ms: latencies.percentile(0.5) / 1000,
    p99Ms: latencies.percentile(0.99) / 1000,
    serverCpuUs: cpuUs / ops,
    errors: 0,
  };
}
