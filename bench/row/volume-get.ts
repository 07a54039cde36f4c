import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { type Cell, sizeText } from "../scale.ts";
import { createBucket } from "../target/bucket.ts";
import { freePort, LODE_CREDENTIALS, startLode } from "../target/lode.ts";
import type { Target } from "../target/target.ts";
import { inTurn } from "./compare.ts";
import { attempt, measureLoad } from "./measure.ts";
import { getJob } from "./objects.ts";

const BUCKET = "lode-bench-ordinary";
const VOLUME = "benchvolume1";
/** Of the ordinary bucket's rate. */
const WANTED = 0.9;

/** GET of large files of a volume against objects of an ordinary bucket, of one server and in turn. */
export async function volumeGetRows(bench: Bench): Promise<void> {
  const { workers, directory } = bench;
  const dataDirectory = join(directory, "volume-get");
  const path = join(directory, "volume-get-files");
  mkdirSync(path);
  const adminPort = await freePort();
  await using server = await startLode({ dataDirectory, workers, adminPort });
  const endpoint = { host: "127.0.0.1", port: server.port, ...LODE_CREDENTIALS };
  const { pid } = server;
  const ordinary: Target = { name: "lode, bucket", endpoint, pid, bucket: BUCKET };
  const volume: Target = { name: "lode, volume", endpoint, pid, bucket: VOLUME };
  const cell: Cell = { sizeBytes: bench.scale.multipartBytes, connections: 1 };
  const row = `GET ${sizeText(cell.sizeBytes)} x1 of a volume, target`;
  await attempt(bench, { row, target: volume }, async () => {
    await createBucket(ordinary);
    await createVolume(path, { adminPort, dataDirectory });
    const jobOf = (on: Target) => ({ ...getJob(on, cell, 0), count: 1 });
    for (const each of [ordinary, volume]) {
      const { seconds: _, ...job } = jobOf(each);
      const { errors, errorSample } = await bench.fleet.run({ ...job, kind: "put" });
      if (errors > 0) throw new Error(errorSample);
    }
    const seconds = bench.scale.targetRoundSeconds;
    const measure = async (on: Target) =>
      await measureLoad(bench, on, { row, job: { ...jobOf(on), seconds } });
    await inTurn(bench, {
      ...{ row, wanted: [WANTED], cpuCounts: true, baselines: [() => measure(ordinary)] },
      target: () => measure(volume),
    });
  });
}

async function createVolume(
  path: string,
  control: { readonly adminPort: number; readonly dataDirectory: string },
): Promise<void> {
  const token = readFileSync(join(control.dataDirectory, "admin-token"), "utf8").trim();
  const reply = await fetch(`http://127.0.0.1:${control.adminPort}/v1/lode/volume`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ volumeId: VOLUME, path }),
  });
  if (reply.status !== 200) throw new Error(`the volume: ${reply.status} ${await reply.text()}`);
}
