import type { Bench } from "../bench.ts";
import { fieldOf, Session } from "../client/session.ts";
import { KIB } from "../scale.ts";
import { createBucket } from "../target/bucket.ts";
import type { Target } from "../target/target.ts";
import { attempt, interleave, measureWork, type Work } from "./measure.ts";

const PAGE_VERSIONS = 1000;
const ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

interface Shape {
  readonly keys: number;
  /** Versions of each key. */
  readonly each: number;
}

/** ListObjectVersions and ListObjectsV2 over a bucket whose keys have many versions, of 1 KiB each. */
export async function versionRows(bench: Bench): Promise<void> {
  for (const shape of bench.scale.versions) {
    const { keys, each } = shape;
    const text = `${keys.toLocaleString("en-US")} keys x ${each} versions`;
    const filled: Target[] = [];
    for (const target of bench.targets) {
      const versioned = { ...target, bucket: `${target.bucket}-versions-${keys}` };
      const what = { row: `storing ${text}`, target };
      const done = await attempt(bench, what, () => fill(bench, versioned, shape));
      if (done !== undefined) filled.push(versioned);
    }
    const listed = { ...bench, targets: filled };
    for (const [name, list] of [
      ["LIST VERSIONS", listVersions],
      ["LIST current", listCurrent],
    ] as const) {
      const row = `${name} ${text}`;
      await interleave(listed, row, (target) =>
        measureWork(target, row, () => list(target, shape)),
      );
    }
  }
}

/** Makes the target's bucket, which keeps versions. */
export async function createVersionedBucket(target: Target): Promise<void> {
  await createBucket(target);
  using session = new Session(target.endpoint);
  const body = Buffer.from(ENABLED);
  await session.call({ method: "PUT", bucket: target.bucket, query: { versioning: "" }, body });
}

async function fill(bench: Bench, target: Target, { keys, each }: Shape): Promise<true> {
  await createVersionedBucket(target);
  const { bucket } = target;
  for (let round = 0; round < each; round += 1) {
    const { errors, errorSample } = await bench.fleet.run({
      ...{ kind: "put", endpoint: target.endpoint, bucket, prefix: "versions/" },
      ...{ first: 0, count: keys, sizeBytes: KIB, connections: 64 },
    });
    if (errors > 0) throw new Error(errorSample);
  }
  return true;
}

/** Fails when pages do not add up to every version. */
export async function listVersions(target: Target, { keys, each }: Shape): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  let seen = 0;
  let marker: Record<string, string> | undefined = {};
  while (marker !== undefined && seen <= keys * each) {
    const begin = performance.now();
    const reply = await session.call({
      ...{ method: "GET", bucket: target.bucket },
      query: { versions: "", "max-keys": String(PAGE_VERSIONS), ...marker },
    });
    latenciesMs.push(performance.now() - begin);
    seen += reply.body.split("<VersionId>").length - 1;
    const key = fieldOf(reply, "NextKeyMarker");
    const id = fieldOf(reply, "NextVersionIdMarker");
    marker =
      key === undefined || id === undefined
        ? undefined
        : { "key-marker": key, "version-id-marker": id };
  }
  if (seen !== keys * each) throw new Error(`the pages list ${seen} of ${keys * each} versions`);
  return { unit: "key", count: seen, latenciesMs };
}

/** What versions lie below a key must not make the list of its current ones slower. */
async function listCurrent(target: Target, { keys }: Shape): Promise<Work> {
  using session = new Session(target.endpoint);
  await session.open();
  const latenciesMs: number[] = [];
  let seen = 0;
  let token: string | undefined;
  do {
    const begin = performance.now();
    const next = token === undefined ? {} : { "continuation-token": token };
    const reply = await session.call({
      ...{ method: "GET", bucket: target.bucket },
      query: { "list-type": "2", ...next },
    });
    latenciesMs.push(performance.now() - begin);
    seen += reply.body.split("<Key>").length - 1;
    token = fieldOf(reply, "NextContinuationToken");
  } while (token !== undefined && seen <= keys);
  if (seen !== keys) throw new Error(`the pages list ${seen} of ${keys} keys`);
  return { unit: "key", count: seen, latenciesMs };
}
