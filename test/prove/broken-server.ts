import type { TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { composeFront } from "#compose.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Engine } from "#object/engine.ts";
import type { Target } from "#prove/client.ts";
import { listen } from "#server/listen.ts";
import { handleAll } from "#sts/handle.ts";
import { administratorIn } from "#test/support/administrator.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";

const KEY = { accessKeyId: "PROVER", secret: "prover-secret" };

/** A server over memory whose engine is changed, and how it is asked. */
export async function serverWith(
  t: TestContext,
  change: (engine: Engine) => Partial<Engine>,
): Promise<Target> {
  const meta = new MemoryMetaStore();
  const clock = systemClock;
  const front = composeFront({
    ...{ meta, blobs: new MemoryBlobStore(), clock, keyring: TEST_KEYRING },
    limits: { inlineBytesMax: 1_024, partBytesMin: 5 },
    root: { ...KEY, principal: await administratorIn(meta, clock) },
    addressing: { baseDomains: ["localhost"], pathStyle: true },
    ...{ region: "us-east-1", strictLocation: false, lifecycleDayMs: 86_400_000 },
    report: () => undefined,
  });
  const engineOf: typeof front.engineOf = (bucket) => {
    const engine = front.engineOf(bucket);
    return overridden(engine, change(engine));
  };
  const listening = await listen({
    ...{ host: "127.0.0.1", port: 0 },
    answer: async (http) => {
      const { reply } = await handleAll(http, { ...front, engineOf });
      return { reply, done: () => undefined };
    },
  });
  t.after(async () => await listening[Symbol.asyncDispose]());
  return {
    endpoint: new URL(`http://127.0.0.1:${listening.port}`),
    credentials: { ...KEY, sessionToken: undefined, region: "us-east-1" },
    virtualHost: false,
    clock,
  };
}

function overridden(engine: Engine, other: Partial<Engine>): Engine {
  const names = [
    ...(["head", "get", "put", "delete", "copy", "rename", "list", "listVersions"] as const),
    ...(["requireEmpty", "setTags", "createUpload", "putPart", "completeUpload"] as const),
    ...(["abortUpload", "listUploads", "listParts"] as const),
  ];
  const bound = names.map((name) => [name, engine[name].bind(engine)]);
  return { ...Object.fromEntries(bound), ...other } as Engine;
}
