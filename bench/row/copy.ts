import type { Bench } from "../bench.ts";
import { Session } from "../client/session.ts";
import { objectPath } from "../client/sign.ts";
import { sizeText } from "../scale.ts";
import type { Target } from "../target/target.ts";
import { interleave, measureWork } from "./measure.ts";
import { ensureLarge, LARGE_KEY } from "./multipart.ts";
import { expectSize } from "./upload.ts";

/** CopyObject of the multipart object to a new key. */
export async function copyRows(bench: Bench): Promise<void> {
  const bytes = bench.scale.multipartBytes;
  const row = `CopyObject ${sizeText(bytes)}`;
  await interleave(bench, row, async (target, round) => {
    if (round === 0) await ensureLarge(target, bytes);
    const key = `copy/${round}`;
    using session = new Session(target.endpoint);
    await session.open();
    const measured = await measureWork(target, row, async () => {
      const ms = await copy(session, target, key);
      return { unit: "op", count: 1, latenciesMs: [ms] };
    });
    await expectSize(target, key, bytes);
    return measured;
  });
}

async function copy(session: Session, target: Target, key: string): Promise<number> {
  const { bucket } = target;
  const headers = { "x-amz-copy-source": objectPath(bucket, LARGE_KEY) };
  const begin = performance.now();
  await session.call({ method: "PUT", bucket, key, headers });
  return performance.now() - begin;
}
