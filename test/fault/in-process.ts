import type { TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobStore } from "#blob/store.ts";
import { composeFront } from "#compose.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { MetaStore } from "#meta/store.ts";
import { handle } from "#s3/handle.ts";
import { LIMITS, type Limits } from "#server/limits.ts";
import { type Listening, listen } from "#server/listen.ts";
import type { Written } from "#server/write-reply.ts";
import type { Target } from "#test/fault/call.ts";
import { administratorIn } from "#test/support/administrator.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { ROOT_KEY } from "#test/support/process.ts";

export interface InProcess extends Target {
  readonly listening: Listening;
  /** How each answer went out. */
  readonly written: readonly Written[];
  /** What the server found to be its own fault. */
  readonly failures: readonly unknown[];
}

export interface InProcessOptions {
  /** Instead of memory; for stores that fail. */
  readonly meta?: MetaStore;
  readonly blobs?: BlobStore;
  /** Instead of those of LIMITS. */
  readonly limits?: Partial<Limits>;
}

/** A server in this process with the real listener, over stores and limits of the test's choice. */
export async function startInProcess(
  t: TestContext,
  { meta = new MemoryMetaStore(), blobs = new MemoryBlobStore(), limits = {} }: InProcessOptions,
): Promise<InProcess> {
  const written: Written[] = [];
  const failures: unknown[] = [];
  const front = composeFront({
    meta,
    blobs,
    clock: systemClock,
    keyring: TEST_KEYRING,
    limits: { inlineBytesMax: 1_024, partBytesMin: 5 },
    root: { ...ROOT_KEY, principal: await administratorIn(meta, systemClock) },
    addressing: { baseDomains: ["localhost"], pathStyle: true },
    region: "us-east-1",
    strictLocation: false,
    lifecycleDayMs: 86_400_000,
    report: (cause) => failures.push(cause),
  });
  const listening = await listen({
    host: "127.0.0.1",
    port: 0,
    limits: { ...LIMITS, ...limits },
    answer: async (request) => {
      const { reply } = await handle(request, front);
      return { reply, done: (each) => written.push(each) };
    },
    refuse: (reason) => {
      const headers = { "content-length": String(reason.length) };
      return { status: 400, headers, body: reason };
    },
  });
  t.after(() => listening[Symbol.asyncDispose]());
  const endpoint = `http://127.0.0.1:${listening.port}`;
  return { endpoint, ...ROOT_KEY, listening, written, failures };
}
