import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Job } from "../driver/job.ts";
import { fill } from "../fill/fill.ts";
import type { Measurement } from "../report/measurement.ts";
import { createBucket } from "../target/bucket.ts";
import { LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import type { Target } from "../target/target.ts";
import { inTurn } from "./compare.ts";
import { manyBucketRows } from "./many-buckets.ts";
import { manyVersionRows } from "./many-versions.ts";
import { attempt, measureLoad } from "./measure.ts";
import { completeRows } from "./multipart.ts";
import { prefixRows } from "./prefixes.ts";
import { startRow } from "./startup.ts";

const BODY_BYTES = 100;
const CONNECTIONS = 64;
const PREFIX = "data/";
const PAGE_KEYS = 1000;
/** Of a page's answer, a thousand keys in XML. */
const PAGE_BYTES_MIN = 100_000;
/** Of what a small bucket does, so much must a large one do. */
const WANTED = 0.75;
/** Requests that are signed for a second of a round. */
const SIGNED_PER_SECOND = 10_000;
const LISTS_PER_SECOND = 1000;

/** A server with one bucket of many objects. */
export interface Filled {
  readonly keys: number;
  readonly dataDirectory: string;
  readonly target: Target;
}

/** What many objects, versions, buckets, parts and prefixes cost, against few of them in the same run. */
export async function scaleRows(bench: Bench): Promise<void> {
  const { scale, workers } = bench;
  const sizes = [scale.scaleKeysSmall, scale.scaleKeys].map((keys) => ({
    keys,
    dataDirectory: join(bench.directory, `scale-${keys}`),
  }));
  const [few, many] = sizes;
  if (few === undefined || many === undefined) return;
  {
    await using fewServer = await startLode({ dataDirectory: few.dataDirectory, workers });
    await using manyServer = await startLode({ dataDirectory: many.dataDirectory, workers });
    const small = { ...few, target: targetOf(few.keys, fewServer) };
    const large = { ...many, target: targetOf(many.keys, manyServer) };
    const guard = async (row: string, act: () => Promise<void>): Promise<boolean> =>
      (await attempt(bench, { row, target: large.target }, async () => {
        await act();
        return true;
      })) ?? false;

    const isFilled = await guard("filling", async () => {
      for (const each of [small, large]) await store(bench, each);
    });
    if (!isFilled) return;
    await guard("rates", () => rates(bench, small, large));
    await guard("versions of one key", () => manyVersionRows(bench, large));
    await guard("buckets", () => manyBucketRows(bench));
    await guard("prefixes", () => prefixRows(bench, large));
    await completeRows({ ...bench, targets: [large.target] });
  }
  for (const { keys, dataDirectory } of sizes) {
    const row = `start, ${text(keys)} objects`;
    await startRow(bench.ledger, { row, dataDirectory, workers, starts: scale.starts });
  }
}

function targetOf(
  keys: number,
  { port, pid }: { readonly port: number; readonly pid: number },
): Target {
  const endpoint = { host: "127.0.0.1", port, ...LODE_CREDENTIALS };
  return { name: `lode, ${text(keys)} objects`, endpoint, pid, bucket: "lode-bench-scale" };
}

/** Fills the bucket, and says what that takes on the disk. */
async function store(bench: Bench, { keys, dataDirectory, target }: Filled): Promise<void> {
  await createBucket(target);
  const before = diskBytes(dataDirectory);
  await fill(bench.ledger, `storing ${text(keys)} objects of ${BODY_BYTES} B`, {
    ...{ dataDirectory, bucket: target.bucket, prefix: PREFIX, suffix: "", oneKey: false },
    ...{ first: 0, count: keys, sizeBytes: BODY_BYTES },
  });
  const after = diskBytes(dataDirectory);
  const each = (name: keyof DiskBytes): number => (after[name] - before[name]) / keys;
  const of = (bytes: number): string =>
    `${bytes.toFixed(0)} B (${(bytes / BODY_BYTES).toFixed(1)} of the payload)`;
  const note = `${of(each("allocated"))} allocated, ${of(each("apparent"))} apparent`;
  bench.ledger.skip(`disk for an object of ${BODY_BYTES} B`, target.name, note);
}

async function rates(bench: Bench, small: Filled, large: Filled): Promise<void> {
  const seconds = bench.scale.targetRoundSeconds;
  const each: Readonly<Record<string, (on: Filled, round: string) => Job>> = {
    GET: ({ keys, target }, round) => ({
      ...jobOn(target, round, seconds * SIGNED_PER_SECOND),
      ...{ kind: "get", sizeBytes: BODY_BYTES, scatterOver: keys, seconds },
    }),
    LIST: ({ keys, target }, round) => ({
      ...jobOn(target, round, seconds * LISTS_PER_SECOND),
      ...{ kind: "list", sizeBytes: PAGE_BYTES_MIN, scatterOver: keys - PAGE_KEYS, seconds },
    }),
    PUT: ({ keys, target }, round) => ({
      ...jobOn(target, round, Math.min(small.keys, seconds * SIGNED_PER_SECOND)),
      // New keys, each between two that are there.
      ...{ kind: "put", sizeBytes: BODY_BYTES, scatterOver: keys, suffix: `.${round}`, seconds },
    }),
  };
  for (const [name, jobFor] of Object.entries(each)) {
    const row = `${name}, ${text(large.keys)} objects, target`;
    const measure = async (on: Filled, round: string): Promise<Measurement> =>
      await measureLoad(bench, on.target, { row, job: jobFor(on, round) });
    await measure(small, "w");
    await measure(large, "w");
    await inTurn(bench, {
      ...{ row, wanted: [WANTED], cpuCounts: true, baselines: [(round) => measure(small, round)] },
      target: (round) => measure(large, round),
    });
  }
}

/** Rounds begin at different keys; a list is asked for as of a key. */
function jobOn({ endpoint, bucket }: Target, round: string, count: number) {
  const first = (Number.parseInt(round, 36) || 0) * 7919;
  return {
    ...{ endpoint, bucket, prefix: PREFIX, first, count: Math.ceil(count) },
    connections: CONNECTIONS,
  };
}

interface DiskBytes {
  readonly apparent: number;
  readonly allocated: number;
}

const BLOCK_BYTES = 512;

/** As `du --apparent-size` and `du` say it, in bytes. */
function diskBytes(directory: string): DiskBytes {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => statSync(join(each.parentPath, each.name)));
  return {
    apparent: files.reduce((sum, { size }) => sum + size, 0),
    allocated: files.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0),
  };
}

function text(count: number): string {
  return count.toLocaleString("en-US");
}
