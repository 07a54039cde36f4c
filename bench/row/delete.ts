import type { Bench } from "../bench.ts";
import { deleteMany } from "../client/delete-many.ts";
import { Session } from "../client/session.ts";
import { type Job, keyOf } from "../driver/job.ts";
import { KIB } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { interleave, measureLoad, measureWork, type Work } from "./measure.ts";

const BATCH_KEYS = 1000;

export async function deleteRows(bench: Bench): Promise<void> {
  for (const connections of [1, 16, 64]) {
    const row = `DELETE 1 KiB x${connections}`;
    await interleave(bench, row, async (target, round) => {
      const job: Job = {
        kind: "delete",
        endpoint: target.endpoint,
        bucket: target.bucket,
        prefix: `delete/${connections}/${round}/`,
        first: 0,
        count: Math.max(bench.scale.deletesMin, connections * bench.scale.deletesPerConnection),
        sizeBytes: KIB,
        connections,
      };
      await store(bench, job);
      return measureLoad(bench, target, { row, job });
    });
  }
  const row = "DeleteObjects 1,000 keys";
  await interleave(bench, row, async (target, round) => {
    const prefix = `delete-many/${round}/`;
    await store(bench, {
      kind: "put",
      endpoint: target.endpoint,
      bucket: target.bucket,
      prefix,
      first: 0,
      count: bench.scale.batches * BATCH_KEYS,
      sizeBytes: KIB,
      connections: 64,
    });
    return measureWork(target, row, () => deleteBatches(target, prefix, bench.scale.batches));
  });
}

async function store(bench: Bench, job: Job): Promise<void> {
  const connections = Math.min(64, job.count);
  const { errors, errorSample } = await bench.fleet.run({ ...job, kind: "put", connections });
  if (errors > 0) throw new Error(errorSample);
}

async function deleteBatches(target: Target, prefix: string, batches: number): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const keys = Array.from({ length: BATCH_KEYS }, (_, index) =>
      keyOf(prefix, batch * BATCH_KEYS + index),
    );
    const begin = performance.now();
    await deleteMany(session, target.bucket, keys);
    latenciesMs.push(performance.now() - begin);
  }
  return { unit: "key", count: batches * BATCH_KEYS, latenciesMs };
}
