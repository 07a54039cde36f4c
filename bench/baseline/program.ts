import { Histogram, type HistogramData } from "../driver/histogram.ts";
import type { BaselineOptions } from "./options.ts";

/** What a baseline without a server prints, as one line of JSON. */
export interface ProgramResult {
  readonly ops: number;
  readonly seconds: number;
  readonly cpuUs: number;
  readonly histogram: HistogramData;
}

/** Runs `operate` in closed loops at once for the given time and prints the result. */
export async function runLoops(
  { connections, seconds }: BaselineOptions,
  operate: (loop: number, turn: number) => Promise<void>,
): Promise<void> {
  const histogram = new Histogram();
  let ops = 0;
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const loop = async (_: unknown, index: number): Promise<void> => {
    for (let turn = 0; performance.now() < end; turn += 1) {
      const started = performance.now();
      await operate(index, turn);
      histogram.record((performance.now() - started) * 1000);
      ops += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const cpu = process.cpuUsage(cpuBefore);
  const result: ProgramResult = {
    ops,
    seconds: (performance.now() - begin) / 1000,
    cpuUs: cpu.user + cpu.system,
    histogram: histogram.data(),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
