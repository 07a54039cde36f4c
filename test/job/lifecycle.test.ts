import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "#base/log.ts";
import { readXml } from "#base/xml.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { type SweepAction, sweepAll } from "#job/lifecycle.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Versioning } from "#object/bucket.ts";
import { readLifecycle } from "#object/lifecycle.ts";
import { bucketName, objectKey } from "#object/name.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 2, 12);
const NAME = bucketName("bucket");
const quiet = () => undefined;
const LOG: Log = { info: quiet, warn: quiet, error: quiet, access: quiet, flush: quiet };

const CONFIGURATION = (rule: string) =>
  `<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status>${rule}</Rule></LifecycleConfiguration>`;

/** A bucket with one rule, a clock to move, and a sweep to call. */
async function bucketWith(rule: string, versioning?: Versioning) {
  let nowMs = START_MS;
  const clock = { now: () => nowMs, sleep: async () => undefined };
  const meta = new MemoryMetaStore();
  const catalog = new Catalog(meta, clock);
  const limits = { inlineBytesMax: 100, partBytesMin: 1 };
  const engine = new VersionedEngine({ meta, blobs: new MemoryBlobStore(), clock, limits });
  await catalog.create(NAME, { id: "0".repeat(64), region: "r" });
  if (versioning !== undefined) await catalog.setVersioning(await catalog.bucket(NAME), versioning);
  const bucket = await catalog.bucket(NAME);
  readLifecycle(readXml(CONFIGURATION(rule)));
  await catalog.setDocument(bucket, "lifecycle", CONFIGURATION(rule));
  const counts: SweepAction[] = [];
  return {
    engine,
    bucket,
    counts,
    moveDays: (days: number) => {
      nowMs += days * DAY_MS;
    },
    put: async (key: string, size = 1, tags: readonly (readonly [string, string])[] = []) => {
      const bytes = Buffer.alloc(size);
      const claims = () => ({ md5: undefined, sha256: undefined, checksum: undefined });
      const chunks = (async function* all() {
        yield bytes;
      })();
      const body = { sizeBytes: size, chunks, algorithm: undefined, hasSha256: false, claims };
      const attributes = { headers: {}, userMetadata: {}, tags, storageClass: "STANDARD" } as const;
      const input = { body, attributes, conditions: {} };
      return await engine.put({ bucket, key: objectKey(key) }, input);
    },
    remove: async (key: string) => await engine.delete({ bucket, key: objectKey(key) }, {}),
    keys: async () => {
      const ask = { prefix: "", delimiter: "", after: "", limit: 1_000 };
      return (await engine.list(bucket, ask)).objects.map(({ key }) => key);
    },
    versions: async () => {
      const all = { prefix: "", delimiter: "", afterKey: "", afterVersionId: undefined };
      return (await engine.listVersions(bucket, { ...all, limit: 1_000 })).versions;
    },
    sweep: async () => {
      const signal = new AbortController().signal;
      const count = (action: SweepAction) => counts.push(action);
      await sweepAll({ catalog, engine, clock, dayMs: DAY_MS, count, log: LOG, signal });
    },
  };
}

const DAYS = "<Expiration><Days>1</Days></Expiration>";

test("an object expires at the midnight after its days, and not before", async () => {
  const s3 = await bucketWith(`<Filter><Prefix>logs/</Prefix></Filter>${DAYS}`);
  await s3.put("logs/a");
  await s3.put("kept");

  s3.moveDays(1.4);
  await s3.sweep();
  const before = await s3.keys();
  s3.moveDays(0.2);
  await s3.sweep();

  assert.deepEqual(before, ["kept", "logs/a"]);
  assert.deepEqual(await s3.keys(), ["kept"]);
  assert.deepEqual(s3.counts, ["expired"]);
});

test("a rule with tags and sizes takes only what has them all", async () => {
  const filter =
    "<Filter><And><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>20</ObjectSizeLessThan></And></Filter>";
  const s3 = await bucketWith(filter + DAYS);
  await s3.put("both", 15, [["k", "v"]]);
  await s3.put("small", 10, [["k", "v"]]);
  await s3.put("large", 20, [["k", "v"]]);
  await s3.put("untagged", 15);

  s3.moveDays(3);
  await s3.sweep();

  assert.deepEqual(await s3.keys(), ["large", "small", "untagged"]);
});

test("in a versioned bucket expiration lays a marker, and old versions go after their own days", async () => {
  const rule = `<Filter><Prefix/></Filter>${DAYS}<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>`;
  const s3 = await bucketWith(rule, "Enabled");
  await s3.put("a");
  await s3.put("a");

  s3.moveDays(1.2);
  await s3.sweep();
  const before = await s3.versions();
  s3.moveDays(2);
  await s3.sweep();
  const after = await s3.versions();

  assert.equal(before.length, 2, "nothing is due after a day");
  assert.deepEqual(
    after.map(({ deleteMarker }) => deleteMarker),
    [true, false],
    "the newest noncurrent version is kept, the older one is gone",
  );
  assert.deepEqual(s3.counts, ["expired", "noncurrent"]);
});

test("a delete marker that hides nothing goes when a rule asks for it", async () => {
  const rule =
    "<Filter><Prefix/></Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
  const s3 = await bucketWith(rule, "Enabled");
  await s3.remove("lonely");
  await s3.put("hidden");
  await s3.remove("hidden");

  await s3.sweep();

  assert.deepEqual(
    (await s3.versions()).map(({ key }) => key),
    ["hidden", "hidden"],
  );
});

test("an unfinished upload is aborted after its days", async () => {
  const rule =
    "<Filter><Prefix>a</Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
  const s3 = await bucketWith(rule);
  const { bucket, engine } = s3;
  const attributes = { headers: {}, userMetadata: {}, tags: [], storageClass: "STANDARD" } as const;
  for (const key of ["a1", "b1"]) {
    const input = { attributes, algorithm: undefined, checksumType: undefined };
    await engine.createUpload({ bucket, key: objectKey(key) }, input);
  }

  s3.moveDays(3);
  await s3.sweep();

  const all = { prefix: "", delimiter: "", afterKey: "", afterUploadId: undefined, limit: 10 };
  const { uploads } = await engine.listUploads(bucket, all);
  assert.deepEqual(
    uploads.map(({ key }) => key),
    ["b1"],
  );
});
