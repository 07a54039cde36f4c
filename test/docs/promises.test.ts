/** Promises of the README that are about what does not happen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Attributes } from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import type { CompletePart } from "#object/engine.ts";
import { newBucketName, objectKey, partNumber } from "#object/name.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const PART = Buffer.alloc(1_000, "p");
const ATTRIBUTES: Attributes = {
  headers: {},
  userMetadata: {},
  tags: [],
  storageClass: "STANDARD",
};

test("CompleteMultipartUpload, CopyObject, UploadPartCopy and RenameObject move no bytes", async () => {
  const { engine, bucket, touched } = await makeEngine();
  const name = { bucket, key: objectKey("whole") };
  const upload = { attributes: ATTRIBUTES, algorithm: undefined, checksumType: undefined };
  const { uploadId } = await engine.createUpload(name, upload);
  const parts: CompletePart[] = [];
  for (const number of ["1", "2", "3"].map(partNumber)) {
    const { etag } = await engine.putPart({ ...name, uploadId }, number, { body: bodyOf(PART) });
    parts.push({ number, etag, checksums: {} });
  }
  const before = touched.length;
  assert.ok(before > 0);

  await engine.completeUpload(
    { ...name, uploadId },
    { parts, conditions: {}, checksum: undefined, checksumType: undefined, sizeBytes: undefined },
  );
  const copy = { bucket, key: objectKey("copy") };
  await engine.copy(copy, {
    source: name,
    sourceConditions: {},
    conditions: {},
    attributes: { metadata: undefined, tags: undefined, storageClass: undefined },
    algorithm: undefined,
  });
  const second = await engine.createUpload(copy, upload);
  const range = { first: 500, last: 2_499 };
  await engine.putPart({ ...copy, uploadId: second.uploadId }, partNumber("1"), {
    source: name,
    conditions: {},
    range,
  });
  await engine.rename(
    { bucket, key: objectKey("moved") },
    { source: copy.key, sourceConditions: {}, conditions: {}, token: undefined },
  );

  assert.equal((await engine.head({ bucket, key: objectKey("moved") })).sizeBytes, 3_000);
  assert.deepEqual(touched.slice(before), []);
});

/** An engine whose every object is a blob; `touched` tells each blob that is made or read. */
async function makeEngine() {
  const meta = new MemoryMetaStore();
  const touched: string[] = [];
  const limits = { inlineBytesMax: -1, partBytesMin: 1 };
  const engine = new VersionedEngine({
    meta,
    blobs: watched(new MemoryBlobStore(), touched),
    clock: systemClock,
    limits,
    keyring: TEST_KEYRING,
  });
  const catalog = new Catalog(meta, systemClock);
  const bucketName = newBucketName("promises");
  await catalog.create(bucketName, { id: "owner", region: "us-east-1" });
  return { engine, bucket: await catalog.bucket(bucketName), touched };
}

function watched(inner: BlobStore, touched: string[]): BlobStore {
  return {
    create: async () => {
      touched.push("create");
      return await inner.create();
    },
    read: (id, range) => {
      touched.push(`read ${id}`);
      return inner.read(id, range);
    },
    remove: async (id) => await inner.remove(id),
    size: async (id) => await inner.size(id),
    list: () => inner.list(),
    [Symbol.asyncDispose]: async () => await inner[Symbol.asyncDispose](),
  };
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
