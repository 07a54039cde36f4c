import type { Bench } from "../bench.ts";
import { Session, Unsupported } from "../client/session.ts";
import { objectPath } from "../client/sign.ts";
import type { Job } from "../driver/job.ts";
import { KIB, sizeText } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { attempt, interleave, measureLoad, measureWork, type Work } from "./measure.ts";
import { ensureLarge, LARGE_KEY } from "./multipart.ts";
import { completeUpload, createUpload, expectSize, putParts } from "./upload.ts";

/** One after the other, so that the sizes are compared by the same means. */
const RENAMES_IN_TURN = 200;
const [HERE, THERE] = ["rename/here", "rename/there"];

/** RenameObject there and back again. */
export async function renameRows(bench: Bench): Promise<void> {
  const able: Target[] = [];
  for (const target of bench.targets) {
    const renames = await attempt(bench, { row: "RenameObject", target }, () => probe(target));
    if (renames !== undefined) able.push(target);
  }
  const renaming = { ...bench, targets: able };
  for (const connections of bench.scale.renameConnections) {
    const row = `RenameObject 1 KiB x${connections}`;
    await interleave(renaming, row, async (target, round) => {
      const job: Job = {
        kind: "rename",
        endpoint: target.endpoint,
        bucket: target.bucket,
        prefix: `rename/${connections}/${round}/`,
        first: 0,
        count: connections,
        sizeBytes: KIB,
        connections,
      };
      const { errors, errorSample } = await bench.fleet.run({ ...job, kind: "put" });
      if (errors > 0) throw new Error(errorSample);
      const timed = { ...job, seconds: bench.scale.roundSeconds };
      return measureLoad(bench, target, { row, job: timed });
    });
  }
  for (const sizeBytes of [KIB, bench.scale.renameBytes]) {
    const row = `RenameObject ${sizeText(sizeBytes)} in turn`;
    await interleave(renaming, row, async (target, round) => {
      if (round === 0) await build(bench, target, sizeBytes);
      return measureWork(target, row, () => renameBackAndForth(target, sizeBytes));
    });
  }
}

/** A server that does not know the operation may well answer 200 to what it takes for a PUT. */
async function probe(target: Target): Promise<true> {
  using session = new Session(target.endpoint);
  const { bucket } = target;
  await session.call({ method: "PUT", bucket, key: HERE, body: Buffer.alloc(KIB) });
  await rename(session, target, { from: HERE, to: THERE });
  const left = await session.try({ method: "HEAD", bucket, key: HERE });
  if (left.status !== 404) throw new Unsupported("RenameObject answers 200 and renames nothing");
  await expectSize(target, THERE, KIB);
  return true;
}

async function build(bench: Bench, target: Target, sizeBytes: number): Promise<void> {
  if (sizeBytes > KIB) return await buildLarge(bench, target);
  using session = new Session(target.endpoint);
  const body = Buffer.alloc(sizeBytes);
  await session.call({ method: "PUT", bucket: target.bucket, key: HERE, body });
}

/** Ten copies, say, of the multipart object as parts: no bytes are sent. */
async function buildLarge(bench: Bench, target: Target): Promise<void> {
  const { multipartBytes, renameBytes } = bench.scale;
  await ensureLarge(target, multipartBytes);
  const upload = await createUpload(target, HERE);
  const count = renameBytes / multipartBytes;
  const etags = await putParts(upload, { count, parallel: 4, source: { copyOf: LARGE_KEY } });
  await completeUpload(upload, etags);
}

async function renameBackAndForth(target: Target, sizeBytes: number): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < RENAMES_IN_TURN; turn += 1) {
    const [from = HERE, to = THERE] = turn % 2 === 0 ? [HERE, THERE] : [THERE, HERE];
    const begin = performance.now();
    await rename(session, target, { from, to });
    latenciesMs.push(performance.now() - begin);
  }
  await expectSize(target, HERE, sizeBytes);
  return { unit: "op", count: RENAMES_IN_TURN, latenciesMs };
}

interface Names {
  readonly from: string;
  readonly to: string;
}

async function rename(session: Session, target: Target, { from, to }: Names): Promise<void> {
  await session.call({
    method: "PUT",
    bucket: target.bucket,
    key: to,
    query: { renameObject: "" },
    headers: { "x-amz-rename-source": objectPath(target.bucket, from) },
  });
}
