import type { Bench } from "../bench.ts";
import type { Job } from "../driver/job.ts";
import { type Cell, GIB, KIB, MIB, sizeText } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { attempt, interleave, measureLoad } from "./measure.ts";

const POOL_BYTES = 256 * MIB;
const POOL_KEYS_MAX = 1000;
const POOL_KEYS_MIN = 4;
/** A PUT round ends after so many bytes, so that a run does not fill a disk. */
const ROUND_BYTES_MAX = GIB;

/** Always the smallest size, which runs the most code in the least time. */
const WARM_UP_CELL: Cell = { sizeBytes: KIB, connections: 16 };

/** GET of objects that the round before has read too: the server is measured, not the disk. */
export async function getRows(bench: Bench): Promise<void> {
  for (const sizeBytes of new Set(bench.scale.cells.map((cell) => cell.sizeBytes))) {
    for (const target of bench.targets) await fillPool(bench, target, sizeBytes);
  }
  await warmUp(bench, (target, seconds) => getJob(target, WARM_UP_CELL, seconds));
  for (const cell of bench.scale.cells) {
    const row = rowName("GET", cell);
    await interleave(bench, row, (target) =>
      measureLoad(bench, target, { row, job: getJob(target, cell, bench.scale.roundSeconds) }),
    );
  }
}

/** PUT of new keys. */
export async function putRows(bench: Bench): Promise<void> {
  await warmUp(bench, (target, seconds) =>
    putJob(target, WARM_UP_CELL, { prefix: "put/warm-up/", seconds }),
  );
  for (const cell of bench.scale.cells) {
    const row = rowName("PUT", cell);
    await interleave(bench, row, (target, round) => {
      const prefix = `put/${cell.sizeBytes}/${cell.connections}/${round}/`;
      const job = putJob(target, cell, { prefix, seconds: bench.scale.roundSeconds });
      return measureLoad(bench, target, { row, job });
    });
  }
}

/** Stores the objects that `getJob` reads. */
export async function fillPool(bench: Bench, target: Target, sizeBytes: number): Promise<void> {
  const row = `storing ${sizeText(sizeBytes)} objects`;
  const { seconds: _, ...job } = getJob(target, { sizeBytes, connections: 16 }, 0);
  await attempt(bench, { row, target }, async () => {
    const connections = Math.min(16, job.count);
    const { errors, errorSample } = await bench.fleet.run({ ...job, kind: "put", connections });
    if (errors > 0) throw new Error(errorSample);
  });
}

export function getJob(target: Target, cell: Cell, seconds: number): Job {
  const { endpoint, bucket } = target;
  const fitting = Math.floor(POOL_BYTES / cell.sizeBytes);
  return {
    kind: "get",
    endpoint,
    bucket,
    prefix: `get/${cell.sizeBytes}/`,
    first: 0,
    count: Math.max(POOL_KEYS_MIN, Math.min(POOL_KEYS_MAX, fitting)),
    ...cell,
    seconds,
  };
}

/** As many keys as a server of 20,000 requests or 1.5 GB a second could use before they repeat. */
export function putJob(
  target: Target,
  cell: Cell,
  round: { readonly prefix: string; readonly seconds: number },
): Job {
  const { endpoint, bucket } = target;
  const { sizeBytes, connections } = cell;
  const perSecond = Math.min(20_000, 3000 * connections, 1.5e9 / sizeBytes);
  const opsMax = Math.max(connections, Math.floor(ROUND_BYTES_MAX / sizeBytes));
  return {
    kind: "put",
    endpoint,
    bucket,
    ...round,
    first: 0,
    count: Math.ceil(Math.max(connections, perSecond * round.seconds)),
    ...cell,
    opsMax,
  };
}

/** A server's first requests compile it; they are not measured, and a wrong answer shows later. */
async function warmUp(
  bench: Bench,
  jobFor: (target: Target, seconds: number) => Job,
): Promise<void> {
  for (const target of bench.targets) {
    await bench.fleet.run(jobFor(target, bench.scale.roundSeconds / 2));
  }
}

function rowName(method: string, { sizeBytes, connections }: Cell): string {
  return `${method} ${sizeText(sizeBytes)} x${connections}`;
}
