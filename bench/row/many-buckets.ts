import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { fieldOf, fieldsOf, Session } from "../client/session.ts";
import type { Job } from "../driver/job.ts";
import type { Measurement } from "../report/measurement.ts";
import { LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import type { Target } from "../target/target.ts";
import { inTurn } from "./compare.ts";
import { measureLoad, measureWork, type Work } from "./measure.ts";

const NAME = "lode-bench-spread";
const BODY_BYTES = 100;
const PARALLEL = 8;
const LISTINGS = 20;
const CONNECTIONS = 64;
/** Of what one bucket allows, so much must many. */
const WANTED = 0.75;

/**
 * Many buckets: to make them, to list them, and to read from all of them against reading from one of them. In a
 * server of its own, since an organization may have no more than a thousand.
 */
export async function manyBucketRows(bench: Bench): Promise<void> {
  const { buckets } = bench.scale;
  const { directory, workers } = bench;
  const dataDirectory = join(directory, "buckets");
  await using server = await startLode({ dataDirectory, workers });
  const endpoint = { host: "127.0.0.1", port: server.port, ...LODE_CREDENTIALS };
  const text = `${buckets.toLocaleString("en-US")} buckets`;
  const target: Target = { name: "lode", endpoint, pid: server.pid, bucket: NAME };
  const one = { ...target, name: "one bucket", bucket: `${NAME}-0` };
  const record = async (row: string, work: () => Promise<Work>): Promise<void> =>
    bench.ledger.record(await measureWork(target, row, work));

  await record(`CreateBucket x${PARALLEL}, ${text}`, () => make(target, buckets));
  await record(`ListBuckets, ${text}`, () => list(target, buckets));
  const shared = { endpoint, prefix: "", first: 0, count: buckets };
  const job = { ...shared, sizeBytes: BODY_BYTES, connections: CONNECTIONS };
  const row = `GET x${CONNECTIONS} over ${text}, target`;
  const jobOn = (on: Target, kind: Job["kind"]): Job =>
    on === one
      ? { ...job, kind, bucket: one.bucket }
      : { ...job, kind, bucket: target.bucket, buckets };
  for (const on of [one, target]) {
    const { errors, errorSample } = await bench.fleet.run(jobOn(on, "put"));
    if (errors > 0) throw new Error(errorSample);
  }
  const seconds = bench.scale.targetRoundSeconds;
  const measure = async (on: Target): Promise<Measurement> =>
    await measureLoad(bench, on, { row, job: { ...jobOn(on, "get"), seconds } });
  await measure(target);
  await inTurn(bench, {
    ...{ row, wanted: [WANTED], cpuCounts: true, baselines: [() => measure(one)] },
    target: () => measure(target),
  });
}

async function make({ endpoint }: Target, count: number): Promise<Work> {
  const latenciesMs: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    using session = new Session(endpoint);
    await session.open();
    while (next < count) {
      const bucket = `${NAME}-${next}`;
      next += 1;
      const begin = performance.now();
      await session.call({ method: "PUT", bucket });
      latenciesMs.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return { unit: "op", count, latenciesMs };
}

/** All pages, time after time. Fails when a bucket is missing. */
async function list({ endpoint }: Target, count: number): Promise<Work> {
  using session = new Session(endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < LISTINGS; turn += 1) {
    const begin = performance.now();
    let [seen, token]: [number, string | undefined] = [0, undefined];
    do {
      const next: Record<string, string> =
        token === undefined ? {} : { "continuation-token": token };
      const reply = await session.call({ method: "GET", bucket: "", query: next });
      seen += fieldsOf(reply, "Name").filter((name) => name.startsWith(`${NAME}-`)).length;
      token = fieldOf(reply, "ContinuationToken");
    } while (token !== undefined);
    latenciesMs.push(performance.now() - begin);
    if (seen !== count) throw new Error(`ListBuckets shows ${seen} of ${count}`);
  }
  return { unit: "op", count: LISTINGS, latenciesMs };
}
