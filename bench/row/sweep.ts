import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { Session } from "../client/session.ts";
import type { Measurement } from "../report/measurement.ts";
import { type Cell, KIB } from "../scale.ts";
import { createBucket } from "../target/bucket.ts";
import { LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import type { ServerProcess } from "../target/server-process.ts";
import type { Target } from "../target/target.ts";
import { attempt, measureLoad } from "./measure.ts";
import { fillPool, getJob } from "./objects.ts";

const GETS: Cell = { sizeBytes: KIB, connections: 16 };
/** Keys are stored in steps, to keep each step's signatures young. */
const STEP_KEYS = 10_000;
const POLL_MS = 50;
const SWEEP_MS_MAX = 60 * 60_000;

/** What a rule does to every object: nothing yet, or an end after a day of one second. */
const RULES = { looks: 3650, removes: 1 } as const;

/** GET of other objects without a sweep, during one that finds nothing due, and during one that removes all. */
export async function sweepRows(bench: Bench): Promise<void> {
  const dataDirectory = join(bench.directory, "sweep");
  // A day of one second: sweeps follow each other after a second.
  const flags = ["--lifecycle-day-seconds", "1"];
  await using server = await startLode({ dataDirectory, workers: bench.workers, flags });
  const endpoint = { host: "127.0.0.1", port: server.port, ...LODE_CREDENTIALS };
  const read: Target = { name: "lode", endpoint, pid: server.pid, bucket: "lode-bench-read" };
  const swept = { ...read, bucket: "lode-bench-swept" };
  const what = { row: "sweep", target: read };
  await attempt(bench, what, async () => {
    await createBucket(read);
    await createBucket(swept);
    await fillPool(bench, read, GETS.sizeBytes);
    await fill(bench, swept);
    await bench.fleet.run(getJob(read, GETS, bench.scale.roundSeconds));
    const keys = bench.scale.sweepKeys.toLocaleString("en-US");
    await gets(bench, read, "no sweep");
    for (const kind of ["looks", "removes"] as const) {
      const begun = await begin(server, swept, kind);
      await gets(bench, read, `sweep ${kind} x ${keys}`);
      await end(bench, { server, swept, kind, begun });
    }
  });
}

async function gets(bench: Bench, target: Target, beside: string): Promise<void> {
  const row = `GET 1 KiB x${GETS.connections}, ${beside}`;
  const seconds = bench.scale.roundSeconds * bench.scale.rounds;
  const job = getJob(target, GETS, seconds);
  bench.ledger.record(await measureLoad(bench, target, { row, job }));
}

async function fill(bench: Bench, { endpoint, bucket }: Target): Promise<void> {
  const { sweepKeys } = bench.scale;
  for (let stored = 0; stored < sweepKeys; stored += STEP_KEYS) {
    const count = Math.min(STEP_KEYS, sweepKeys - stored);
    const { errors, errorSample } = await bench.fleet.run({
      ...{ kind: "put", endpoint, bucket, prefix: "swept/", first: stored, count },
      ...{ sizeBytes: KIB, connections: 64 },
    });
    if (errors > 0) throw new Error(errorSample);
    bench.ledger.progress(`sweep: ${stored + count} of ${sweepKeys} keys stored`);
  }
}

interface Begun {
  readonly atMs: number;
  readonly done: number;
}

const COUNTED = {
  looks: "lode_lifecycle_examined_total",
  removes: 'lode_lifecycle_actions_total{action="expired"}',
} as const;

/** Resolves when the sweep has begun to do it. */
async function begin(
  server: ServerProcess,
  { endpoint, bucket }: Target,
  kind: keyof typeof RULES,
): Promise<Begun> {
  const done = await metric(server, COUNTED[kind]);
  using session = new Session(endpoint);
  const rule = `<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>${RULES[kind]}</Days></Expiration></Rule></LifecycleConfiguration>`;
  const body = Buffer.from(rule);
  await session.call({ method: "PUT", bucket, query: { lifecycle: "" }, body });
  await until(async () => (await metric(server, COUNTED[kind])) > done);
  return { atMs: performance.now(), done };
}

/** Waits until everything has been looked at, or removed, and records how fast that went. */
async function end(
  bench: Bench,
  sweep: {
    readonly server: ServerProcess;
    readonly swept: Target;
    readonly kind: keyof typeof RULES;
    readonly begun: Begun;
  },
): Promise<void> {
  const { server, swept, kind, begun } = sweep;
  const { sweepKeys } = bench.scale;
  await until(async () => (await metric(server, COUNTED[kind])) >= begun.done + sweepKeys);
  const seconds = (performance.now() - begun.atMs) / 1000;
  const count = (await metric(server, COUNTED[kind])) - begun.done;
  const row = `sweep ${kind} x ${sweepKeys.toLocaleString("en-US")}`;
  const measured: Measurement = {
    ...{ row, target: swept.name, unit: "key", count, seconds, perSecond: count / seconds },
    errors: 0,
    note: undefined,
  };
  bench.ledger.record(measured);
}

async function metric({ adminPort }: ServerProcess, name: string): Promise<number> {
  const reply = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const line = (await reply.text()).split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const lateMs = performance.now() + SWEEP_MS_MAX;
  while (!(await holds())) {
    if (performance.now() > lateMs) throw new Error("the sweep did not come to its end");
    await setTimeout(POLL_MS);
  }
}
