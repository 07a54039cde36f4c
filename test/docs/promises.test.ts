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
import { CustomerKey, type Encryption } from "#object/encryption.ts";
import type { CompletePart, KeyName, OpenObject, PartSource } from "#object/engine.ts";
import { newBucketName, objectKey, partNumber } from "#object/name.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const PART_BYTES = 1_000;
const WHOLE = Buffer.from(Array.from({ length: 3 * PART_BYTES }, (_, index) => index % 251));
const ATTRIBUTES: Attributes = {
  headers: {},
  userMetadata: {},
  tags: [],
  storageClass: "STANDARD",
};
const UPLOAD = { attributes: ATTRIBUTES, algorithm: undefined, checksumType: undefined };
const COMPLETE = {
  conditions: {},
  checksum: undefined,
  checksumType: undefined,
  sizeBytes: undefined,
};
const COPY = {
  sourceConditions: {},
  conditions: {},
  algorithm: undefined,
  attributes: { metadata: undefined, tags: undefined, storageClass: undefined },
};

const [KEY, OTHER_KEY] = [keyed(1), keyed(2)];
const SERVER: Encryption = { kind: "SSE-S3" };

const WAYS: Readonly<Record<string, readonly [from?: Encryption, to?: Encryption]>> = {
  "in the clear": [],
  "under a client's key, to another key": [KEY, OTHER_KEY],
  "under a client's key, to the server's": [KEY, SERVER],
  "under the server's key, to a client's": [SERVER, KEY],
};

for (const [way, [from, to]] of Object.entries(WAYS)) {
  test(`CompleteMultipartUpload, CopyObject, UploadPartCopy and RenameObject move no bytes, ${way}`, async () => {
    const { engine, bucket, touched } = await makeEngine();
    const name = { bucket, key: objectKey("whole") };
    const complete = await uploadOf(engine, name, { encryption: from, sources: threeParts() });
    const before = touched.length;
    assert.equal(before, 3);

    await complete();
    const copy = { bucket, key: objectKey("copy") };
    const sourceKey = keyOf(from);
    await engine.copy(copy, { ...COPY, source: name, sourceKey, encryption: to });
    const range = { first: 500, last: 2_499 };
    const sources = [{ source: name, conditions: {}, range, sourceKey }];
    await (await uploadOf(engine, copy, { encryption: to, sources }))();
    await engine.rename(
      { bucket, key: objectKey("moved") },
      { source: copy.key, sourceConditions: {}, conditions: {}, token: undefined },
    );

    assert.deepEqual(touched.slice(before), []);
    const moved = await engine.get({ bucket, key: objectKey("moved") }, keyOf(to));
    assert.ok((await bytesOf(moved)).equals(WHOLE.subarray(500, 2_500)));
  });
}

test("a copy that encrypts or decrypts reads each blob once and makes one", async () => {
  const { engine, bucket, touched } = await makeEngine();
  const named = (key: string) => ({ bucket, key: objectKey(key) });
  const plain = named("plain");
  await (await uploadOf(engine, plain, { encryption: undefined, sources: threeParts() }))();
  const before = touched.length;

  const hidden = named("hidden");
  await engine.copy(hidden, { ...COPY, source: plain, encryption: KEY });
  const again = named("again");
  await engine.copy(again, { ...COPY, source: hidden, sourceKey: keyOf(KEY) });

  const kinds = touched.slice(before).map((each) => each.split(" ")[0]);
  assert.deepEqual(kinds, ["create", "read", "read", "read", "create", "read"]);
  assert.ok((await bytesOf(await engine.get(again))).equals(WHOLE));
});

function keyed(byte: number): Encryption {
  return { kind: "SSE-C", key: new CustomerKey(Buffer.alloc(32, byte), `md5 of ${byte}`) };
}

function keyOf(encryption: Encryption | undefined): CustomerKey | undefined {
  return encryption?.kind === "SSE-C" ? encryption.key : undefined;
}

/** An upload with these parts, and the call that completes it. */
async function uploadOf(
  engine: VersionedEngine,
  name: KeyName,
  { encryption, sources }: { encryption: Encryption | undefined; sources: readonly PartSource[] },
): Promise<() => Promise<unknown>> {
  const { uploadId } = await engine.createUpload(name, { ...UPLOAD, encryption });
  const parts: CompletePart[] = [];
  for (const [index, source] of sources.entries()) {
    const number = partNumber(String(index + 1));
    const part = { ...source, key: keyOf(encryption) };
    const { etag } = await engine.putPart({ ...name, uploadId }, number, part);
    parts.push({ number, etag, checksums: {} });
  }
  return async () => await engine.completeUpload({ ...name, uploadId }, { ...COMPLETE, parts });
}

function threeParts(): PartSource[] {
  return [0, 1, 2].map((at) => ({
    body: bodyOf(WHOLE.subarray(at * PART_BYTES, (at + 1) * PART_BYTES)),
  }));
}

async function bytesOf({ info, read }: OpenObject): Promise<Buffer> {
  const body = read(0, info.sizeBytes);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

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
    readChecked: (id, range) => {
      touched.push(`read ${id}`);
      return inner.readChecked(id, range);
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
