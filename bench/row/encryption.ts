import { createHash } from "node:crypto";
import type { Bench } from "../bench.ts";
import type { Job } from "../driver/job.ts";
import { type Cell, KIB, MIB, sizeText } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { attempt, interleave, measureLoad } from "./measure.ts";
import { getJob, putJob } from "./objects.ts";

type Headers = Readonly<Record<string, string>>;

/** How objects are stored, and what a request says of it. */
interface Way {
  readonly name: string;
  readonly put: Headers;
  readonly get: Headers;
}

const KEY = Buffer.alloc(32, "benchmark");
const SSE_C: Headers = {
  "x-amz-server-side-encryption-customer-algorithm": "AES256",
  "x-amz-server-side-encryption-customer-key": KEY.toString("base64"),
  "x-amz-server-side-encryption-customer-key-md5": createHash("md5").update(KEY).digest("base64"),
};

/** In the clear first: the others are compared with it. */
const WAYS: readonly Way[] = [
  { name: "in the clear", put: {}, get: {} },
  { name: "SSE-C", put: SSE_C, get: SSE_C },
  { name: "SSE-S3", put: { "x-amz-server-side-encryption": "AES256" }, get: {} },
];

const CELLS: readonly Cell[] = [
  { sizeBytes: KIB, connections: 16 },
  { sizeBytes: 64 * MIB, connections: 4 },
];

/** GET and PUT of encrypted objects, each beside the same in the clear, round by round in turn. */
export async function encryptionRows(bench: Bench): Promise<void> {
  for (const target of bench.targets) {
    const ways = new Map<Target, Way>(
      WAYS.map((way) => [{ ...target, name: `${target.name}, ${way.name}` }, way]),
    );
    const inWays = { ...bench, targets: [...ways.keys()] };
    for (const cell of CELLS) {
      for (const kind of ["put", "get"] as const) {
        const row = `encrypted ${kind.toUpperCase()} ${sizeText(cell.sizeBytes)} x${cell.connections}`;
        const jobOf = (on: Target, round: string): Job => {
          const way = ways.get(on);
          const seconds = bench.scale.roundSeconds;
          const prefix = `${way?.name.replaceAll(" ", "-")}/${round}/`;
          const job =
            kind === "get" ? getJob(on, cell, seconds) : putJob(on, cell, { prefix, seconds });
          return { ...job, prefix: prefix + job.prefix, headers: way?.[kind] ?? {} };
        };
        if (kind === "get") await fill(inWays, row, { jobOf, ways });
        await interleave(inWays, row, (on, round) =>
          measureLoad(bench, on, { row, job: jobOf(on, kind === "get" ? "pool" : `${round}`) }),
        );
      }
    }
  }
}

/** Stores what the GET rows read. */
async function fill(
  bench: Bench,
  row: string,
  given: {
    readonly jobOf: (on: Target, round: string) => Job;
    readonly ways: ReadonlyMap<Target, Way>;
  },
): Promise<void> {
  for (const [target, way] of given.ways) {
    await attempt(bench, { row, target }, async () => {
      const { seconds: _, ...job } = given.jobOf(target, "pool");
      const connections = Math.min(job.connections, job.count);
      const stored = { ...job, kind: "put", connections, headers: way.put } as const;
      const { errors, errorSample } = await bench.fleet.run(stored);
      if (errors > 0) throw new Error(errorSample);
    });
  }
}
