import type { Bench } from "../bench.ts";
import { headerOf } from "../client/reply-reader.ts";
import { Session } from "../client/session.ts";
import { type Job, keyOf } from "../driver/job.ts";
import { fill } from "../fill/fill.ts";
import type { Measurement } from "../report/measurement.ts";
import type { Target } from "../target/target.ts";
import { inTurn } from "./compare.ts";
import { measureLoad, measureWork, type Work } from "./measure.ts";
import type { Filled } from "./scale.ts";
import { createVersionedBucket, listVersions } from "./versions.ts";

const BODY_BYTES = 100;
const EDGE = 1000;
const MARKERS = 20;
const PREFIX = "many/";
/** Of what one version allows, so much must many. */
const WANTED = 0.75;

/** One key with very many versions: puts of it and reads, against those of a key with few in the same minutes. */
export async function manyVersionRows(
  bench: Bench,
  { dataDirectory, target }: Filled,
): Promise<void> {
  const { versionsOfKey: versions, targetRounds } = bench.scale;
  const text = `a key of ${versions.toLocaleString("en-US")} versions`;
  const many: Target = { ...target, name: "lode", bucket: "lode-bench-many-versions" };
  const few = { ...many, name: "a key of few", bucket: "lode-bench-few-versions" };
  await createVersionedBucket(many);
  await createVersionedBucket(few);
  await fill(bench.ledger, `storing ${text}`, {
    ...{ dataDirectory, bucket: many.bucket, prefix: PREFIX, suffix: "" },
    ...{ first: 0, count: versions - EDGE * targetRounds, oneKey: true, sizeBytes: BODY_BYTES },
  });
  await puts(bench, { few, many }, `PUT x1, the last 1,000 of ${text}, target`);
  await gets(bench, { few, many }, `GET x16, ${text}, target`);
  const record = async (row: string, work: () => Promise<Work>): Promise<void> =>
    bench.ledger.record(await measureWork(many, row, work));
  await record(`LIST VERSIONS, ${text}`, () => listVersions(many, { keys: 1, each: versions }));
  await record(`delete marker on ${text}, and off`, () => mark(many));
}

interface Compared {
  readonly few: Target;
  readonly many: Target;
}

/** Its last thousands against the first thousand of a new key each. */
async function puts(bench: Bench, { few, many }: Compared, row: string): Promise<void> {
  const measure = async (on: Target, prefix: string): Promise<Measurement> => {
    const job = { ...jobOf(on, prefix), kind: "put", count: EDGE } as const;
    return await measureLoad(bench, on, { row, job });
  };
  await measure(few, "warm/");
  await inTurn(bench, {
    ...{
      row,
      wanted: [WANTED],
      cpuCounts: true,
      baselines: [(round) => measure(few, `${round}/`)],
    },
    target: () => measure(many, PREFIX),
  });
}

/** The current version. */
async function gets(bench: Bench, { few, many }: Compared, row: string): Promise<void> {
  const seconds = bench.scale.targetRoundSeconds;
  const measure = async (on: Target): Promise<Measurement> => {
    const job = { ...jobOf(on, PREFIX), kind: "get", count: 1 } as const;
    return await measureLoad(bench, on, { row, job: { ...job, connections: 16, seconds } });
  };
  await bench.fleet.run({ ...jobOf(few, PREFIX), kind: "put", count: 1 });
  await measure(few);
  await inTurn(bench, {
    ...{ row, wanted: [WANTED], cpuCounts: true, baselines: [() => measure(few)] },
    target: () => measure(many),
  });
}

/** Hides the object and shows it again. Fails when it is not hidden, or not shown. */
async function mark({ endpoint, bucket }: Target): Promise<Work> {
  using session = new Session(endpoint);
  await session.open();
  const key = keyOf(PREFIX, 0);
  const latenciesMs: number[] = [];
  const expect = async (status: number): Promise<void> => {
    const reply = await session.try({ method: "HEAD", bucket, key });
    if (reply.status !== status) throw new Error(`HEAD ${key}: ${reply.status}, not ${status}`);
  };
  for (let turn = 0; turn < MARKERS; turn += 1) {
    const begin = performance.now();
    const made = await session.call({ method: "DELETE", bucket, key });
    latenciesMs.push(performance.now() - begin);
    await expect(404);
    const versionId = headerOf(made, "x-amz-version-id") ?? "";
    const again = performance.now();
    await session.call({ method: "DELETE", bucket, key, query: { versionId } });
    latenciesMs.push(performance.now() - again);
    await expect(200);
  }
  return { unit: "op", count: 2 * MARKERS, latenciesMs };
}

function jobOf({ endpoint, bucket }: Target, prefix: string): Omit<Job, "kind" | "count"> {
  return {
    ...{ endpoint, bucket, prefix, first: 0, scatterOver: 1, sizeBytes: BODY_BYTES },
    connections: 1,
  };
}
