import { Metrics } from "#base/metrics.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { JobPlace } from "#catalog/job-place.ts";
import type { LifecycleJob } from "#job/lifecycle.ts";
import type { SweepPlace } from "#job/lifecycle-sweep.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Versioning } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import { DAY_MS } from "#object/lifecycle-due.ts";
import { bucketName, objectKey } from "#object/name.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { VersionedEngine } from "#versioned/engine.ts";

type Tags = readonly (readonly [string, string])[];

/** Noon, 2 January 2026. */
const START_MS = Date.UTC(2026, 0, 2, 12);
const OWNER = { id: "0".repeat(64), region: "r" };

/** A rule for everything below `prefix`. */
export const rule = (actions: string, { id = "r", filter = "<Prefix></Prefix>" } = {}) =>
  `<Rule><ID>${id}</ID><Status>Enabled</Status><Filter>${filter}</Filter>${actions}</Rule>`;
export const DAYS = "<Expiration><Days>1</Days></Expiration>";
export const MARKERS =
  "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
export const noncurrent = (days: number, keep = 0) =>
  `<NoncurrentVersionExpiration><NoncurrentDays>${days}</NoncurrentDays>${keep === 0 ? "" : `<NewerNoncurrentVersions>${keep}</NewerNoncurrentVersions>`}</NoncurrentVersionExpiration>`;
export const abort = (days: number) =>
  `<AbortIncompleteMultipartUpload><DaysAfterInitiation>${days}</DaysAfterInitiation></AbortIncompleteMultipartUpload>`;

/** Buckets, over memory unless it is said, a clock to move, and all that a sweep of them needs. */
export function startSweeping(meta: MetaStore = new MemoryMetaStore()) {
  let nowMs = START_MS;
  const clock = { now: () => nowMs, sleep: async () => undefined };
  const catalog = new Catalog(meta, clock);
  const engine: Engine = new VersionedEngine({
    meta,
    blobs: new MemoryBlobStore(),
    clock,
    limits: { inlineBytesMax: 100, partBytesMin: 1 },
    keyring: TEST_KEYRING,
  });
  const stopping = new AbortController();
  const errors: string[] = [];
  const failures: { readonly message: string; readonly bucket: unknown }[] = [];
  const quiet = () => undefined;
  const job: LifecycleJob = {
    place: new JobPlace<SweepPlace>(meta, clock, "lifecycle"),
    holder: "this process",
    catalog,
    engine,
    clock,
    dayMs: DAY_MS,
    metrics: new Metrics().lifecycle,
    log: {
      ...{ info: quiet, warn: quiet, access: quiet, flush: async () => undefined },
      error: (message, _, fields) => {
        errors.push(message);
        failures.push({ message, bucket: fields?.["bucket"] });
      },
    },
    signal: stopping.signal,
  };
  return {
    job,
    meta,
    stopping,
    errors,
    failures,
    moveDays: (days: number) => {
      nowMs += days * DAY_MS;
    },
    bucket: (name: string, rules: string, versioning?: Versioning) =>
      ruledBucket(job, name, { rules, versioning }),
  };
}

async function ruledBucket(
  { catalog, engine }: LifecycleJob,
  text: string,
  { rules, versioning }: { readonly rules: string; readonly versioning: Versioning },
) {
  const name = bucketName(text);
  await catalog.create(name, OWNER);
  if (versioning !== undefined) await catalog.setVersioning(await catalog.bucket(name), versioning);
  const bucket = await catalog.bucket(name);
  const setRules = async (inner: string) => {
    const document = `<LifecycleConfiguration>${inner}</LifecycleConfiguration>`;
    await catalog.setDocument(bucket, "lifecycle", inner === "" ? undefined : document);
  };
  await setRules(rules);
  return {
    bucket,
    setRules,
    put: async (key: string, { size = 1, tags = [] }: { size?: number; tags?: Tags } = {}) => {
      const body = bodyOf(Buffer.alloc(size));
      const attributes = { headers: {}, userMetadata: {}, tags, storageClass: "STANDARD" } as const;
      const name = { bucket, key: objectKey(key) };
      return await engine.put(name, { body, attributes, conditions: {} });
    },
    remove: async (key: string, versionId?: string) => {
      const name = { bucket, key: objectKey(key) };
      return await engine.delete(versionId === undefined ? name : { ...name, versionId }, {});
    },
    upload: async (key: string) => {
      const attributes = { headers: {}, userMetadata: {}, tags: [] } as const;
      const input = { attributes: { ...attributes, storageClass: "STANDARD" } as const };
      const none = { algorithm: undefined, checksumType: undefined };
      await engine.createUpload({ bucket, key: objectKey(key) }, { ...input, ...none });
    },
    keys: async () => {
      const ask = { prefix: "", delimiter: "", after: "", limit: 10_000 };
      return (await engine.list(bucket, ask)).objects.map(({ key }) => key);
    },
    versions: async () => {
      const all = { prefix: "", delimiter: "", afterKey: "", afterVersionId: undefined };
      return (await engine.listVersions(bucket, { ...all, limit: 10_000 })).versions;
    },
    uploads: async () => {
      const all = { prefix: "", delimiter: "", afterKey: "", afterUploadId: undefined };
      const { uploads } = await engine.listUploads(bucket, { ...all, limit: 10_000 });
      return uploads.map(({ key }) => key);
    },
  };
}

function bodyOf(bytes: Buffer) {
  return {
    sizeBytes: bytes.length,
    chunks: (async function* all() {
      yield bytes;
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}

/** The value of a metric; of those with that label when it has one. */
export async function countOf(
  metric: { get: () => Promise<{ values: { value: number; labels: object }[] }> },
  action?: string,
): Promise<number> {
  const { values } = await metric.get();
  const counted = values.filter(
    ({ labels }) => action === undefined || ("action" in labels && labels.action === action),
  );
  return counted.reduce((sum, { value }) => sum + value, 0);
}
