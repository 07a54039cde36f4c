/** Counting usage again while it changes, over LMDB, and by the job. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Clock, systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { Organizations } from "#catalog/organizations.ts";
import { type RecountJob, type RecountPlace, recountOne, recountWhenDue } from "#job/recount.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { StorageClass } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import { newBucketName, objectKey, partNumber } from "#object/name.ts";
import { driftsOf, recounterOf, spoilCounters } from "#test/support/counters.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { recountBucket } from "#versioned/recount.ts";
import type { Stores } from "#versioned/store.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

const KEYS = 1_500;
const OWNER = { id: "owner", region: "here" };
const meta = new LmdbMetaStore(await temporaryDirectory());
after(() => meta[Symbol.asyncDispose]());

test("recounts beside writers, and beside each other, put the counters right and keep them so", async () => {
  const stores = storesOver(meta);
  const { engine, bucket } = await bucketIn(stores, "busy");
  for (let index = 0; index < KEYS; index += 1) await put({ engine, bucket }, index);
  await spoilCounters(stores, bucket, { bucket: [7, -7, 7, -7, 7], zone: [1_000_000, 2] });
  let counting = true;
  let written = 0;
  const writer = async (first: number) => {
    for (let index = first; counting; index += 7) {
      await write({ engine, bucket }, index);
      written += 1;
    }
  };
  const writers = Promise.all([0, 1, 2, 3].map(writer));
  const recounters = [recounterOf(stores), recounterOf(stores), recounterOf(stores)];
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(recounters.map((recounter) => recountOne(recounter, bucket.name)));
  }
  counting = false;
  await writers;

  assert.ok(written > 0);
  const repaired = recounters.flatMap(({ drifts }) => drifts);
  assert.deepEqual(repaired.map(({ counter }) => counter).sort(), ["bucket", "zone"]);
  assert.deepEqual(await driftsOf(stores, bucket.name), []);
});

test("a clock that is set while a page is read makes nobody wait, with a snapshot in hand, for as long", async () => {
  const stores = storesOver(new MemoryMetaStore());
  const { engine, bucket } = await bucketIn(stores, "large");
  for (let index = 0; index < 250; index += 1) await put({ engine, bucket }, index);
  const slept: number[] = [];
  let nowMs = 0;
  const clock: Clock = {
    now: () => {
      nowMs += 3_600_000;
      return nowMs;
    },
    sleep: async (ms) => {
      slept.push(ms);
    },
  };

  assert.deepEqual(await recountBucket({ meta: stores.meta, clock }, bucket), []);

  assert.ok(slept.length > 1);
  assert.ok(Math.max(...slept) <= 1_000, `${slept} ms`);
});

for (const [what, amount] of [
  ["no number", Number.NaN],
  ["larger than any count", 1e300],
] as const) {
  test(`a counter that damage has made ${what} is put right by one recount, beside writers too`, async () => {
    const stores = storesOver(meta);
    const name = amount > 0 ? "huge" : "nan";
    const { engine, bucket } = await bucketIn(stores, name);
    for (let index = 0; index < 20; index += 1) await put({ engine, bucket }, index);
    const spoilt = Array.from({ length: 30 }, () => amount);
    await spoilCounters(stores, bucket, { bucket: spoilt, zone: spoilt });
    let counting = true;
    const writer = (async () => {
      for (let index = 20; counting; index += 1) await put({ engine, bucket }, index);
    })();
    const recounter = recounterOf(stores);

    await recountOne(recounter, bucket.name);
    counting = false;
    await writer;

    assert.deepEqual(await driftsOf(stores, bucket.name), []);
    const { versions, bytes } = (await new UsageCounters(meta).bucket(bucket)).classes.STANDARD;
    assert.ok(versions > 0 && Number.isSafeInteger(bytes), `${versions} of ${bytes} bytes`);
    assert.deepEqual(recounter.drifts.map(({ counter }) => counter).sort(), ["bucket", "zone"]);
  });
}

test("a bucket that is deleted while it is counted leaves no counter behind", async () => {
  const stores = storesOver(meta);
  const { engine, bucket, catalog } = await bucketIn(stores, "leaving");
  await spoilCounters(stores, bucket, { bucket: [1], zone: [1] });

  await Promise.all([
    recountOne(recounterOf(stores), bucket.name),
    engine.requireEmpty(bucket).then((empty) => catalog.delete(bucket, empty)),
  ]).catch(() => undefined);
  const left = await catalog.find(bucket.name);
  if (left !== undefined) await catalog.delete(left, await engine.requireEmpty(left));

  const usage = await new UsageCounters(meta).bucket(bucket);
  assert.deepEqual(usage.classes.STANDARD, { versions: 0, bytes: 0, partBytes: 0 });
});

test("the first start counts what an older release left, and the next one not again", async () => {
  const stores = { ...storesOver(new MemoryMetaStore()), clock: new MovableClock(0) };
  const { engine, bucket } = await bucketIn(stores, "older");
  await put({ engine, bucket }, 1, "STANDARD_IA");
  await put({ engine, bucket }, 2);
  const counters = new UsageCounters(stores.meta);
  const right = await counters.bucket(bucket);
  // No classes, and nothing of zones.
  await spoilCounters(stores, bucket, { bucket: [2, 3, 0, 0, 0] });
  const job = await jobOver(stores);

  await recountWhenDue(job);
  const repaired = job.drifts.length;
  await spoilCounters(stores, bucket, { bucket: [9], zone: [9] });
  await recountWhenDue(job);

  assert.equal(repaired, 2);
  assert.equal(job.drifts.length, repaired);
  stores.clock.move(7 * 86_400_000);
  await recountWhenDue(job);
  assert.deepEqual(await counters.bucket(bucket), right);
  assert.deepEqual(await counters.zone(bucket.organizationId, "here"), right);
});

test("a clock that was set back since the last recount does not put the next one off", async () => {
  const stores = { ...storesOver(new MemoryMetaStore()), clock: new MovableClock(0) };
  const { bucket } = await bucketIn(stores, "ahead");
  const job = await jobOver(stores);
  stores.clock.move(365 * 86_400_000);
  await recountWhenDue(job);
  stores.clock.move(-364 * 86_400_000);
  await spoilCounters(stores, bucket, { bucket: [9], zone: [9] });

  await recountWhenDue(job);
  assert.equal(job.drifts.length, 2);

  await spoilCounters(stores, bucket, { bucket: [9], zone: [9] });
  await recountWhenDue(job);
  assert.equal(job.drifts.length, 2);
});

test("a recount that was cut short goes on where it was, and one bucket that fails stops no other", async () => {
  const stores = { ...storesOver(new MemoryMetaStore()), clock: new MovableClock(0) };
  const buckets: Bucket[] = [];
  for (const name of ["aaa", "bbb", "ccc"]) buckets.push((await bucketIn(stores, name)).bucket);
  for (const bucket of buckets) await spoilCounters(stores, bucket, { bucket: [1] });
  const cut = new AbortController();
  const first = await jobOver(stores, {
    found: () => cut.abort(new Error("the server stops")),
    signal: cut.signal,
  });
  await assert.rejects(recountWhenDue(first), /the server stops/);
  const failed: string[] = [];
  const second = await jobOver(stores, {
    failed: (what) => failed.push(what),
    catalog: new FailingCatalog(stores.meta, stores.clock),
  });

  await recountWhenDue(second);

  assert.deepEqual(failed, ["bucket bbb"]);
  assert.deepEqual(
    second.drifts.map(({ name }) => name),
    ["ccc", "here"],
  );
});

test("the zones that an organization has left are forgotten", async () => {
  const stores = storesOver(new MemoryMetaStore());
  const { engine, bucket, catalog } = await bucketIn(stores, "short");
  await put({ engine, bucket }, 1);
  await engine.delete({ bucket, key: objectKey("1") }, {});
  await catalog.delete(bucket, await engine.requireEmpty(bucket));
  const counters = new UsageCounters(stores.meta);
  assert.equal((await counters.zones(undefined, 10)).length, 1);

  await recountWhenDue(await jobOver(stores));

  assert.deepEqual(await counters.zones(undefined, 10), []);
});

class FailingCatalog extends Catalog {
  override async find(name: Bucket["name"]): Promise<Bucket | undefined> {
    if (name === "bbb") throw new Error("a record cannot be read");
    return await super.find(name);
  }
}

interface Written {
  readonly engine: VersionedEngine;
  readonly bucket: Bucket;
}

async function put(
  { engine, bucket }: Written,
  index: number,
  storageClass: StorageClass = index % 3 === 0 ? "STANDARD_IA" : "STANDARD",
): Promise<void> {
  const body = bodyOf(index % 40);
  const attributes = { headers: {}, userMetadata: {}, tags: [], storageClass };
  const key = objectKey(String(index % KEYS));
  await engine.put({ bucket, key }, { body, attributes, conditions: {} });
}

/** Something else each time: new bytes, none, a copy in another class, an upload that ends or does not. */
async function write(written: Written, index: number): Promise<void> {
  const { engine, bucket } = written;
  const name = { bucket, key: objectKey(String(index % KEYS)) };
  if (index % 5 < 2) return await put(written, index);
  if (index % 5 === 2) {
    await engine.delete(name, {});
    return;
  }
  const storageClass = index % 2 === 0 ? "STANDARD" : "STANDARD_IA";
  const attributes = { headers: {}, userMetadata: {}, tags: [], storageClass } as const;
  const { uploadId } = await engine.createUpload(name, {
    ...{ attributes, algorithm: undefined, checksumType: undefined },
  });
  const upload = { ...name, uploadId };
  const number = partNumber("1");
  await engine.putPart(upload, number, { body: bodyOf(30) });
  const { etag } = await engine.putPart(upload, number, { body: bodyOf(20) });
  if (index % 5 === 3) return await engine.abortUpload(upload);
  if (index % 2 === 0) return;
  await engine.completeUpload(upload, {
    parts: [{ number, etag, checksums: {} }],
    ...{ conditions: {}, checksum: undefined, checksumType: undefined, sizeBytes: undefined },
  });
}

function bodyOf(sizeBytes: number) {
  return {
    sizeBytes,
    chunks: (async function* chunks() {
      yield Buffer.alloc(sizeBytes, "x");
    })(),
    ...{ algorithm: undefined, hasSha256: false },
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}

function storesOver(meta: Stores["meta"]): Stores {
  const limits = { inlineBytesMax: 16, partBytesMin: 1 };
  return { meta, blobs: new MemoryBlobStore(), clock: systemClock, limits, keyring: TEST_KEYRING };
}

async function bucketIn(stores: Stores, text: string) {
  const catalog = new Catalog(stores.meta, stores.clock);
  const name = newBucketName(text);
  await catalog.create(name, OWNER);
  return { catalog, engine: new VersionedEngine(stores), bucket: await catalog.bucket(name) };
}

async function jobOver(stores: Stores, own: Partial<RecountJob> = {}) {
  const { meta, clock } = stores;
  const organizations = new Organizations(meta, clock);
  await organizations.create({ id: OWNER.id, name: "owner" }).catch(() => undefined);
  const quiet = () => undefined;
  return {
    ...recounterOf(stores),
    organizations,
    place: new JobPlace<RecountPlace>(meta, clock, "recount"),
    holder: "this process",
    log: { info: quiet, warn: quiet, error: quiet, access: quiet, flush: async () => undefined },
    signal: new AbortController().signal,
    ...own,
  };
}
