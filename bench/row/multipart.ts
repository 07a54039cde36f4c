import type { Bench } from "../bench.ts";
import { payload } from "../client/payload.ts";
import { Session } from "../client/session.ts";
import { MIB, sizeText } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { interleave, measureWork, type Work } from "./measure.ts";
import { completeUpload, createUpload, expectSize, putParts } from "./upload.ts";

const PART_BYTES = 16 * MIB;
const PARALLEL = 8;
const SMALL_PART_BYTES = 5 * MIB;
const SMALL_PART_KEY = "multipart/5-mib";
/** A server that copies the bytes of 10,000 parts gets fewer parts, and a note. */
const COPY_MS_MAX = 20_000;

export const LARGE_KEY = "multipart/large";

export async function multipartRows(bench: Bench): Promise<void> {
  const bytes = bench.scale.multipartBytes;
  const row = `multipart upload ${sizeText(bytes)}`;
  await interleave(bench, row, (target) =>
    measureWork(target, row, () => uploadLarge(target, bytes)),
  );
  await completeRows(bench);
}

/** The end of an upload of many parts. */
export async function completeRows(bench: Bench): Promise<void> {
  const parts = bench.scale.completeParts;
  const complete = `Complete ${parts.toLocaleString("en-US")} parts`;
  await interleave(bench, complete, async (target) => {
    await putSmallPart(target);
    const upload = await createUpload(target, "multipart/many-parts");
    const source = { copyOf: SMALL_PART_KEY };
    const options = { count: parts, parallel: 16, source, msMax: COPY_MS_MAX };
    const etags = await putParts(upload, options);
    const measured = await measureWork(target, complete, async () => {
      const ms = await completeUpload(upload, etags);
      const note = etags.length < parts ? `only ${etags.length} parts` : undefined;
      return { unit: "op", count: 1, latenciesMs: [ms], note };
    });
    await expectSize(target, upload.key, etags.length * SMALL_PART_BYTES);
    return measured;
  });
}

async function uploadLarge(target: Target, bytes: number): Promise<Work> {
  const count = bytes / PART_BYTES;
  const latenciesMs: number[] = [];
  const upload = await createUpload(target, LARGE_KEY);
  const source = { bytes: PART_BYTES };
  const etags = await putParts(upload, { count, parallel: PARALLEL, source, latenciesMs });
  await completeUpload(upload, etags);
  await expectSize(target, LARGE_KEY, bytes);
  return { unit: "op", count, bytes, latenciesMs };
}

/** For the rows that start from the large object, with or without the multipart row before them. */
export async function ensureLarge(target: Target, bytes: number): Promise<void> {
  using session = new Session(target.endpoint);
  const reply = await session.try({ method: "HEAD", bucket: target.bucket, key: LARGE_KEY });
  if (reply.status !== 200) await uploadLarge(target, bytes);
}

async function putSmallPart(target: Target): Promise<void> {
  using session = new Session(target.endpoint);
  const { bucket } = target;
  const body = payload(SMALL_PART_BYTES);
  await session.call({ method: "PUT", bucket, key: SMALL_PART_KEY, body });
}
