import assert from "node:assert/strict";
import { StorageError } from "#base/error.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Users } from "#catalog/users.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Entry, MetaStore } from "#meta/store.ts";
import type { CompletePart } from "#object/engine.ts";
import { newBucketName, objectKey, partNumber } from "#object/name.ts";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { partKey } from "#versioned/keys.ts";
import { type PartRecord, unpackJson, unpackVersion } from "#versioned/record.ts";
import type { Stores } from "#versioned/store.ts";

/** Small stores that have something of each kind, and hands to damage it with. */
export interface Filled extends Pick<Stores, "clock"> {
  readonly meta: MetaStore;
  readonly blobs: FragileBlobs;
  /** Of the bucket that never kept versions. */
  readonly bucketId: string;
  /** Of the upload that goes on. */
  readonly uploadId: string;
  readonly all: (letter: string) => Promise<readonly Entry[]>;
  /** The only record under a letter whose key has this text. */
  readonly one: (letter: string, text: string) => Promise<Entry>;
  readonly contentOf: (key: string) => Promise<string>;
  readonly blobOf: (key: string) => Promise<string>;
  readonly write: (key: Uint8Array, value: Uint8Array) => Promise<void>;
  readonly drop: (entry: Entry | undefined) => Promise<void>;
}

/**
 * One bucket: `plain` in a blob, `small` in its record, `parts` in two parts, an upload of `open` with one
 * part; and tags of its own. Another: `versioned`, a null version below another. A user.
 */
export async function filled(): Promise<Filled> {
  const clock = newClock();
  const meta = new MemoryMetaStore();
  const blobs = new FragileBlobs(new MemoryBlobStore(clock));
  const stores = storesOver(meta, blobs, clock);
  const catalog = new Catalog(meta, clock);
  const engine = new VersionedEngine(stores);
  for (const name of ["first-bucket", "other-bucket"]) {
    await catalog.create(newBucketName(name), { id: "owner", region: "r" });
  }
  const bucket = await catalog.bucket(newBucketName("first-bucket"));
  await catalog.setDocument(bucket, "tagging", "<Tagging><TagSet/></Tagging>");
  await new Users(meta, clock).create("owner", { uid: "ada", name: "Ada", groups: [] });
  const put = async (key: string, text: string, to = bucket) =>
    await engine.put(
      { bucket: to, key: objectKey(key) },
      { body: bodyOf(text), attributes: NOTHING_SAID, conditions: {} },
    );
  await put("plain", "plain".repeat(10));
  await put("small", "small");
  const upload = async (key: string, parts: readonly string[]) => {
    const begun = { attributes: NOTHING_SAID, algorithm: undefined, checksumType: undefined };
    const made = await engine.createUpload({ bucket, key: objectKey(key) }, begun);
    const name = { bucket, key: objectKey(key), uploadId: made.uploadId };
    const done: CompletePart[] = [];
    for (const [at, text] of parts.entries()) {
      const number = partNumber(String(at + 1));
      const { etag } = await engine.putPart(name, number, { body: bodyOf(text) });
      done.push({ number, etag, checksums: {} });
    }
    return { name, done };
  };
  const { name, done } = await upload("parts", ["first part".repeat(5), "second part".repeat(5)]);
  const none = { checksum: undefined, checksumType: undefined, sizeBytes: undefined };
  await engine.completeUpload(name, { parts: done, conditions: {}, ...none });
  const { uploadId } = (await upload("open", ["open part".repeat(4)])).name;
  const other = await catalog.bucket(newBucketName("other-bucket"));
  await put("versioned", "first", other);
  await catalog.setVersioning(other, "Enabled");
  await put("versioned", "second", await catalog.bucket(newBucketName("other-bucket")));
  return { clock, blobs, bucketId: bucket.id, uploadId, ...handsOn(meta, uploadId) };
}

function handsOn(meta: MetaStore, uploadId: string) {
  const all = async (letter: string) => {
    const from = Buffer.from(letter);
    return await meta.scan({ from, to: Buffer.of((from[0] ?? 0) + 1), limit: 1_000 });
  };
  const one = async (letter: string, text: string) => {
    const found = (await all(letter)).filter(({ key }) => Buffer.from(key).includes(text));
    assert.equal(found.length, 1, `one record ${letter} of ${text}`);
    return found[0] as Entry;
  };
  const contentOf = async (key: string) => {
    const { content } = unpackVersion((await one("v", key)).value).record;
    assert.ok(content.kind !== "inline");
    return content.id;
  };
  const blobOf = async (key: string) => {
    if (key === "open") {
      const part = await meta.get(partKey(uploadId, 1));
      return unpackJson<PartRecord>(part?.value ?? Buffer.alloc(0)).extents[0]?.blob ?? "";
    }
    const { content } = unpackVersion((await one("v", key)).value).record;
    assert.ok(content.kind === "extents");
    return content.extents[0]?.blob ?? "";
  };
  const set = async (key: Uint8Array, value: Uint8Array | undefined) => {
    await meta.commit({ guards: [], writes: [{ key, value }] });
  };
  return {
    ...{ meta, all, one, contentOf, blobOf },
    write: async (key: Uint8Array, value: Uint8Array) => await set(key, value),
    drop: async (entry: Entry | undefined) => {
      assert.ok(entry);
      await set(entry.key, undefined);
    },
  };
}

/** Blobs that can be damaged. */
export class FragileBlobs implements BlobStore {
  readonly #inner: BlobStore;
  readonly #damaged = new Map<string, Buffer>();

  constructor(inner: BlobStore) {
    this.#inner = inner;
  }

  async damage(id: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
    const chunks: Buffer[] = [];
    const to = (await this.#inner.size(id)) ?? 0;
    for await (const chunk of this.#inner.read(id, { from: 0, to }))
      chunks.push(Buffer.from(chunk));
    const whole = Buffer.concat(chunks);
    const changed = Buffer.from(change(whole));
    if (changed.equals(whole)) this.#damaged.delete(id);
    else this.#damaged.set(id, changed);
  }

  create: BlobStore["create"] = () => this.#inner.create();
  remove: BlobStore["remove"] = (id) => this.#inner.remove(id);
  list: BlobStore["list"] = () => this.#inner.list();

  read: BlobStore["read"] = (id, range) => {
    const bytes = this.#damaged.get(id);
    if (bytes === undefined) return this.#inner.read(id, range);
    return (async function* slice() {
      yield bytes.subarray(range.from, range.to);
    })();
  };

  readChecked: BlobStore["readChecked"] = (id, range) => {
    if (!this.#damaged.has(id)) return this.#inner.readChecked(id, range);
    return (async function* none() {
      yield* [];
      throw new StorageError("corrupt", "a block is not what was written");
    })();
  };

  size: BlobStore["size"] = async (id) =>
    this.#damaged.get(id)?.length ?? (await this.#inner.size(id));

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
