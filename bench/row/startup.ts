import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { Ledger } from "../ledger.ts";
import { type Measurement, medianOf } from "../report/measurement.ts";
import { KIB } from "../scale.ts";
import { startLode } from "../target/lode.ts";
import { memoryOf } from "../target/process-tree.ts";
import { attempt } from "./measure.ts";

/** After the ready line, so that what a start leaves to be collected is still counted once. */
const SETTLE_MS = 500;
const OBJECTS = 10_000;

export interface StartOptions {
  readonly row: string;
  readonly dataDirectory: string;
  readonly workers: number;
  readonly starts: number;
}

/** Time from the start of the process to the ready line, and memory shortly after it. */
export async function startRow(ledger: Ledger, options: StartOptions): Promise<void> {
  const rounds: Measurement[] = [];
  for (let start = 0; start < options.starts; start += 1) {
    await using server = await startLode(options);
    await setTimeout(SETTLE_MS);
    const { rssBytes, anonBytes } = memoryOf(server.pid);
    rounds.push({
      ...{ row: options.row, target: "lode", unit: "op", count: 1, errors: 0 },
      seconds: server.readyMs / 1000,
      perSecond: 1000 / server.readyMs,
      p50Ms: server.readyMs,
      rssMaxBytes: rssBytes,
      anonMaxBytes: anonBytes,
    });
  }
  const median = medianOf(rounds);
  if (median !== undefined) ledger.record(median);
}

/** Each start on a directory of its own, which is empty. */
export async function emptyStartRow(
  ledger: Ledger,
  options: Omit<StartOptions, "row">,
): Promise<void> {
  const dataDirectory = join(options.dataDirectory, "..", "empty");
  await mkdir(dataDirectory);
  await startRow(ledger, { ...options, dataDirectory, row: "start, empty" });
  await rm(dataDirectory, { recursive: true });
}

/** Something to find at the second start, when no other row has left anything. */
export async function fillForStart(bench: Bench): Promise<void> {
  const row = "storing objects for the start";
  for (const target of bench.targets) {
    await attempt(bench, { row, target }, async () => {
      const { errors, errorSample } = await bench.fleet.run({
        ...{ kind: "put", endpoint: target.endpoint, bucket: target.bucket, prefix: "start/" },
        ...{ first: 0, count: OBJECTS, sizeBytes: KIB, connections: 64 },
      });
      if (errors > 0) throw new Error(errorSample);
    });
  }
}
