/**
 * Puts small objects through the engine into the data directory of a server, which may run meanwhile: each as
 * durable as any other, many of them to a commit. Prints one line of JSON.
 */
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { Keyring } from "#base/keyring.ts";
import { FileBlobStore } from "#blob/files.ts";
import { Catalog } from "#catalog/catalog.ts";
import { ENGINE_LIMITS } from "#compose.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { Body } from "#object/body.ts";
import { bucketName, objectKey } from "#object/name.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { payload } from "../client/payload.ts";
import { keyOf } from "../driver/job.ts";
import type { FillOptions, FillResult } from "./options.ts";

/** Puts under way at once: a few commits' worth, so that the next one is full when the last one is done. */
const PARALLEL = 768;
const PROGRESS_KEYS = 100_000;
const PLAIN = { headers: {}, userMetadata: {}, tags: [], storageClass: "STANDARD" } as const;

const options: FillOptions = JSON.parse(process.argv[2] ?? "{}");
const root = options.dataDirectory;
const meta = new LmdbMetaStore(join(root, "metadata"));
const owner = `fill-${process.pid}`;
const blobs = await FileBlobStore.open({ root: join(root, "blobs"), owner });
const result = await fill();
await blobs[Symbol.asyncDispose]();
await meta[Symbol.asyncDispose]();
process.stdout.write(`${JSON.stringify(result)}\n`);

async function fill(): Promise<FillResult> {
  const { bucket: name, prefix, suffix, first, count, oneKey, sizeBytes } = options;
  const stores = { meta, blobs, clock: systemClock, limits: ENGINE_LIMITS };
  // Nothing is encrypted, so that any key does.
  const keyring = Keyring.fromHex(["0".repeat(64)]);
  const engine = new VersionedEngine({ ...stores, keyring });
  const bucket = await new Catalog(meta, systemClock).bucket(bucketName(name));
  const bytes = payload(sizeBytes);
  let [begun, done] = [0, 0];
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const number = first + (oneKey ? 0 : begun);
      begun += 1;
      const key = objectKey(keyOf(prefix, number) + suffix);
      const input = { body: bodyOf(bytes), attributes: PLAIN, conditions: {} };
      await engine.put({ bucket, key }, input);
      done += 1;
      if (done % PROGRESS_KEYS === 0) process.stderr.write(`  ${done} of ${count} put\n`);
    }
  };
  const [cpuBefore, begin] = [process.cpuUsage(), performance.now()];
  // Writers of one key would only get in each other's way.
  await Promise.all(Array.from({ length: oneKey ? 1 : PARALLEL }, lane));
  const cpu = process.cpuUsage(cpuBefore);
  return { seconds: (performance.now() - begin) / 1000, cpuUs: cpu.user + cpu.system };
}

function bodyOf(bytes: Uint8Array): Body {
  return {
    sizeBytes: bytes.length,
    chunks: (async function* chunks() {
      yield bytes;
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}
