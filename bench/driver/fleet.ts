import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Histogram } from "./histogram.ts";
import type { Job, LoadResult, Order, Report } from "./job.ts";
import { yieldProcessor } from "./priority.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

/** The driver processes. A machine with many cores needs more than one to fill a server. */
export class Fleet implements Disposable {
  readonly #drivers: readonly ChildProcess[];

  constructor(count: number) {
    this.#drivers = Array.from({ length: count }, () => fork(MAIN, { stdio: "inherit" }));
  }

  get size(): number {
    return this.#drivers.length;
  }

  /** Signs the requests and opens the connections, and returns what starts the round. */
  async prepare(job: Job): Promise<() => Promise<LoadResult>> {
    const parts = split(job, this.#drivers.length);
    const staffed = this.#drivers.flatMap((driver, index) => {
      const part = parts[index];
      return part === undefined ? [] : [{ driver, part }];
    });
    await Promise.all(
      staffed.map(({ driver, part }) => ask(driver, { kind: "prepare", job: part })),
    );
    return async () => {
      const reports = await Promise.all(staffed.map(({ driver }) => ask(driver, { kind: "go" })));
      return merge(reports.flatMap((report) => (report.kind === "done" ? [report.result] : [])));
    };
  }

  async run(job: Job): Promise<LoadResult> {
    const go = await this.prepare(job);
    return go();
  }

  /** From now on others come first. */
  yieldProcessor(): void {
    for (const driver of this.#drivers) yieldProcessor(driver);
  }

  [Symbol.dispose](): void {
    for (const driver of this.#drivers) driver.kill("SIGKILL");
  }
}

/** Connections and keys are dealt out; a driver without a connection gets no part. */
function split(job: Job, drivers: number): Job[] {
  const active = Math.min(drivers, job.connections);
  const share = (total: number, index: number): readonly [from: number, to: number] => [
    Math.floor((total * index) / active),
    Math.floor((total * (index + 1)) / active),
  ];
  return Array.from({ length: active }, (_, index) => {
    const [from, to] = share(job.connections, index);
    const opsMax = job.opsMax === undefined ? undefined : Math.ceil(job.opsMax / active);
    const part = { ...job, connections: to - from, opsMax };
    const reads = job.kind === "get" || job.kind === "list";
    if (reads && job.seconds !== undefined) return part;
    const [first, end] = share(job.count, index);
    return { ...part, first: job.first + first, count: end - first };
  });
}

function merge(results: readonly LoadResult[]): LoadResult {
  const histogram = new Histogram();
  for (const result of results) histogram.add(result.histogram);
  const sum = (pick: (result: LoadResult) => number): number =>
    results.reduce((total, result) => total + pick(result), 0);
  return {
    ops: sum(({ ops }) => ops),
    bytes: sum(({ bytes }) => bytes),
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    cpuUs: sum(({ cpuUs }) => cpuUs),
    errors: sum(({ errors }) => errors),
    errorSample: results.find(({ errorSample }) => errorSample !== undefined)?.errorSample,
    histogram: histogram.data(),
  };
}

function ask(driver: ChildProcess, order: Order): Promise<Report> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("a driver process ended"));
    driver.once("exit", onExit);
    driver.once("message", (report: Report) => {
      driver.off("exit", onExit);
      if (report.kind === "failed") reject(new Error(report.message));
      else resolve(report);
    });
    driver.send(order);
  });
}
