import { readFile, writeFile } from "node:fs/promises";
import type { Machine } from "./machine.ts";
import type { Measurement, TargetRatio } from "./measurement.ts";

const FORMAT = 1;

/** What `--json` writes and `--compare` reads. */
export interface Result {
  readonly format: typeof FORMAT;
  readonly machine: Machine;
  /** How much of the processors others used during the run, 0 to 1. */
  readonly othersShare?: number | undefined;
  readonly quick: boolean;
  readonly workers: number;
  readonly drivers: number;
  readonly measurements: readonly Measurement[];
  readonly targets: readonly TargetRatio[];
  readonly errors: readonly string[];
}

export async function writeResult(path: string, result: Omit<Result, "format">): Promise<void> {
  await writeFile(path, `${JSON.stringify({ format: FORMAT, ...result }, undefined, 2)}\n`);
}

/** Fails when the file is not a result of this format. */
export async function readResult(path: string): Promise<Result> {
  const result: Result = JSON.parse(await readFile(path, "utf8"));
  if (result.format !== FORMAT) throw new Error(`${path} is no result of format ${FORMAT}`);
  return result;
}
