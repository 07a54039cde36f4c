import type { Bench } from "../bench.ts";
import { Session } from "../client/session.ts";
import { KIB, MIB } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { compareLoad, comparePrograms } from "./compare.ts";
import { attempt } from "./measure.ts";
import { fillPool, getJob, putJob } from "./objects.ts";

const SMALL = { sizeBytes: KIB, connections: 64 };

const GET_WANTED = 0.7;
/** At most so many times the processor time of the bare loop for each GB. */
const READ_WANTED = 1 / 1.3;
const WRITE_WANTED = 1 / 1.15;

/** The ratios that Lode is meant to reach, each against a baseline of the same minutes. */
export async function targetRows(bench: Bench): Promise<void> {
  const [target] = bench.targets;
  if (target === undefined) return;
  const stream = { sizeBytes: 64 * MIB, connections: bench.scale.streamConnections };
  const seconds = bench.scale.targetRoundSeconds;
  const guard = async (row: string, act: () => Promise<void>): Promise<void> => {
    await attempt(bench, { row, target }, act);
  };

  await guard("GET 1 KiB against node:http", async () => {
    await fillPool(bench, target, KIB);
    const headers = await headersOf(target);
    await compareLoad(bench, {
      ...{
        target,
        script: "http.ts",
        name: "bare node:http",
        cell: SMALL,
        headers,
        wanted: GET_WANTED,
      },
      jobFor: (server) => getJob(server, SMALL, seconds),
    });
  });
  await guard("PUT 1 KiB against the file system", () => comparePrograms(bench, target, SMALL));
  await guard("GET 64 MiB against a bare loop", async () => {
    await fillPool(bench, target, stream.sizeBytes);
    await compareLoad(bench, {
      ...{ target, script: "stream-read.ts", name: "bare read loop", cell: stream },
      ...{ wanted: READ_WANTED, cpuCounts: true },
      jobFor: (server) => getJob(server, stream, seconds),
    });
  });
  await guard("PUT 64 MiB against a bare loop", () =>
    compareLoad(bench, {
      ...{ target, script: "stream-write.ts", name: "bare write loop", cell: stream },
      ...{ wanted: WRITE_WANTED, cpuCounts: true },
      jobFor: (server, round) => putJob(server, stream, { prefix: `target/${round}/`, seconds }),
    }),
  );
}

/** The headers that the server sends with a 1 KiB object, less those that node:http makes. */
async function headersOf(target: Target): Promise<Record<string, string>> {
  using session = new Session(target.endpoint);
  const { prefix } = getJob(target, SMALL, 0);
  const { head } = await session.call({
    method: "GET",
    bucket: target.bucket,
    key: `${prefix}00000000`,
  });
  const pairs = head
    .split("\r\n")
    .slice(1)
    .map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()] as const;
    });
  const own = /^(date|connection|keep-alive|content-length|transfer-encoding)$/;
  return Object.fromEntries(pairs.filter(([name]) => !own.test(name)));
}
