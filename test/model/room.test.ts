/** What writes at the same moment do to a room that is too small for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { S3Error } from "#base/error.ts";
import { Catalog } from "#catalog/catalog.ts";
import type { Attributes, StorageClass } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { UploadName } from "#object/engine.ts";
import { newBucketName, objectKey, partNumber } from "#object/name.ts";
import { countedBytes, type Room, totalBytes } from "#object/usage.ts";
import { memoryStores } from "#test/model/stores.ts";
import { driftsOf } from "#test/support/counters.ts";
import { remainsOf } from "#test/support/remains.ts";
import { runs } from "#test/support/runs.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { collectGarbage } from "#versioned/garbage.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

const storageClass = fc.constantFrom<StorageClass[]>("STANDARD", "STANDARD_IA");
const write = fc.record({
  kind: fc.constantFrom("put", "put", "part", "copy", "copiedPart", "delete"),
  key: fc.constantFrom("a", "b", "c", "source"),
  number: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 0, max: 60 }),
  storageClass,
});
type Write = typeof write extends fc.Arbitrary<infer Value> ? Value : never;
const max = fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined });
const room = fc.record({ standard: max, archive: max, bucket: max }).map(
  ({ standard, archive, bucket }): Room => ({
    zoneBytesMax: {
      ...(standard === undefined ? {} : { STANDARD: standard }),
      ...(archive === undefined ? {} : { STANDARD_IA: archive }),
    },
    bucketBytesMax: bucket,
  }),
);

test("however many write at the same moment, not a byte goes over the room, and nothing is left of who was refused", async () => {
  await fc.assert(
    fc.asyncProperty(room, fc.array(write, { maxLength: 30 }), async (room, writes) => {
      const stores = memoryStores();
      const { engine, bucket, uploads } = await begun(stores);
      const before = (await new UsageCounters(stores.meta).bucket(bucket)).classes;
      const doing = { engine, bucket, uploads, room };

      const outcomes = await Promise.allSettled(writes.map((each) => perform(doing, each)));

      for (const outcome of outcomes) {
        if (outcome.status === "rejected") requireExpected(outcome.reason);
      }
      const usage = await new UsageCounters(stores.meta).bucket(bucket);
      for (const [name, max] of Object.entries(room.zoneBytesMax)) {
        const of = name as StorageClass;
        // What was there before may be over already.
        assert.ok(countedBytes(usage, of) <= Math.max(max, before[of].bytes));
      }
      assert.ok(totalBytes(usage) <= Math.max(room.bucketBytesMax ?? Infinity, SOURCE_BYTES));
      assert.deepEqual(await driftsOf(stores, bucket.name), []);
      stores.clock.move(1_000_000);
      await collectGarbage(stores, { beforeMs: stores.clock.now() });
      const { blobs, referred } = await remainsOf(stores);
      assert.deepEqual(blobs, referred);
    }),
    runs({ short: 300, long: 30_000 }),
  );
});

const SOURCE_BYTES = 30;

/** A bucket with something to copy, and an upload in each class. */
async function begun(stores: ReturnType<typeof memoryStores>) {
  const catalog = new Catalog(stores.meta, stores.clock);
  const name = newBucketName("bucket");
  await catalog.create(name, { id: "owner", region: "here" });
  const bucket = await catalog.bucket(name);
  const engine = new VersionedEngine(stores);
  const source = { bucket, key: objectKey("source") };
  await engine.put(source, {
    ...{ body: bodyOf(SOURCE_BYTES), attributes: attributesOf("STANDARD"), conditions: {} },
  });
  const upload = async (storageClass: StorageClass): Promise<UploadName> => {
    const named = { bucket, key: objectKey("upload") };
    const input = { attributes: attributesOf(storageClass), ...NO_CHECKSUM };
    return { ...named, uploadId: (await engine.createUpload(named, input)).uploadId };
  };
  const uploads = { STANDARD: await upload("STANDARD"), STANDARD_IA: await upload("STANDARD_IA") };
  return { engine, bucket, uploads };
}

interface Doing {
  readonly engine: VersionedEngine;
  readonly bucket: Bucket;
  readonly uploads: Readonly<Record<StorageClass, UploadName>>;
  readonly room: Room;
}

async function perform({ engine, bucket, uploads, room }: Doing, each: Write): Promise<unknown> {
  const { storageClass } = each;
  const name = { bucket, key: objectKey(each.key) };
  const source = { bucket, key: objectKey("source") };
  const part = partNumber(String(each.number));
  const body = bodyOf(each.size);
  const attributes = attributesOf(storageClass);
  switch (each.kind) {
    case "put":
      return await engine.put(name, { body, attributes, conditions: {}, room });
    case "part":
      return await engine.putPart(uploads[storageClass], part, { body, room });
    case "copy": {
      const asked = { metadata: undefined, tags: undefined, storageClass };
      const input = { sourceConditions: {}, conditions: {}, algorithm: undefined, room };
      return await engine.copy(name, { ...input, source, attributes: asked });
    }
    case "copiedPart": {
      const copied = { source, conditions: {}, range: undefined, room };
      return await engine.putPart(uploads[storageClass], part, copied);
    }
    default:
      return await engine.delete(name, {});
  }
}

/** The source of a copy may have been deleted, or replaced too often. */
function requireExpected(cause: unknown): void {
  const codes = ["AccountProblem", "NoSuchKey", "PreconditionFailed"];
  if (cause instanceof S3Error && codes.includes(cause.code)) return;
  throw cause;
}

const NO_CHECKSUM = { algorithm: undefined, checksumType: undefined };

function attributesOf(storageClass: StorageClass): Attributes {
  return { headers: {}, userMetadata: {}, tags: [], storageClass };
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
