import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import type { Change, MetaStore } from "#meta/store.ts";
import type { Bucket, Versioning } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";

/** Buckets: which there are, whose they are, and how they are set. */
export class Catalog {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  /** What was last read of a bucket, good for as long as its revision is. */
  readonly #known = new Map<string, Bucket>();

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
  }

  /** Fails: NoSuchBucket. */
  async bucket(name: BucketName): Promise<Bucket> {
    const entry = await this.#meta.get(bucketKey(name));
    if (entry === undefined) throw new S3Error("NoSuchBucket", { BucketName: name });
    const known = this.#known.get(name);
    if (known?.guard.revision === entry.revision) return known;
    const bucket = {
      ...unpack(entry.value),
      name,
      guard: { key: entry.key, revision: entry.revision },
    };
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(name, bucket);
    return bucket;
  }

  /**
   * Makes a bucket, or finds that the owner has made the same one before.
   * Fails: BucketAlreadyOwnedByYou (in another region), BucketAlreadyExists.
   */
  async create(
    name: BucketName,
    owner: { readonly id: string; readonly region: string },
  ): Promise<void> {
    const key = bucketKey(name);
    const record: BucketRecord = {
      id: randomHex(8),
      ownerId: owner.id,
      region: owner.region,
      createdMs: this.#clock.now(),
      versioning: undefined,
    };
    const guards = [{ key, revision: 0 }];
    if ((await this.#meta.commit({ guards, writes: [{ key, value: pack(record) }] })) !== undefined)
      return;
    const existing = await this.bucket(name);
    if (existing.ownerId !== owner.id)
      throw new S3Error("BucketAlreadyExists", { BucketName: name });
    if (existing.region !== owner.region) {
      throw new S3Error("BucketAlreadyOwnedByYou", { BucketName: name });
    }
  }

  /**
   * Removes a bucket. `empty` is what must still be true for it to be empty, and what goes with it.
   * Fails: OperationAborted when something was written meanwhile.
   */
  async delete(bucket: Bucket, empty: Pick<Change, "guards" | "writes">): Promise<void> {
    const guards = [bucket.guard, ...empty.guards];
    const documents = DOCUMENTS.map((kind) => ({
      key: documentKey(bucket, kind),
      value: undefined,
    }));
    const writes = [{ key: bucket.guard.key, value: undefined }, ...documents, ...empty.writes];
    if ((await this.#meta.commit({ guards, writes })) === undefined) {
      throw new S3Error("OperationAborted", {});
    }
  }

  async setVersioning(bucket: Bucket, versioning: Versioning): Promise<void> {
    const { id, ownerId, region, createdMs } = bucket;
    const value = pack({ id, ownerId, region, createdMs, versioning });
    const change = { guards: [bucket.guard], writes: [{ key: bucket.guard.key, value }] };
    if ((await this.#meta.commit(change)) === undefined) throw new S3Error("OperationAborted", {});
  }

  /** Undefined when the bucket carries no such document. */
  async document(bucket: Bucket, kind: DocumentKind): Promise<string | undefined> {
    const entry = await this.#meta.get(documentKey(bucket, kind));
    if (entry === undefined) return undefined;
    const { format, text } = JSON.parse(Buffer.from(entry.value).toString()) as StoredDocument;
    assert(format === FORMAT, "a document has the format this release writes");
    return text;
  }

  /** Puts one document, or deletes it when `text` is undefined. Fails: OperationAborted. */
  async setDocument(bucket: Bucket, kind: DocumentKind, text: string | undefined): Promise<void> {
    const stored = { format: FORMAT, text } as StoredDocument;
    const value = text === undefined ? undefined : Buffer.from(JSON.stringify(stored));
    const key = documentKey(bucket, kind);
    // The guard makes it impossible to configure a bucket that is being deleted.
    const change = { guards: [bucket.guard], writes: [{ key, value }] };
    if ((await this.#meta.commit(change)) === undefined) throw new S3Error("OperationAborted", {});
  }

  /** In order of their names. */
  async list({ prefix, after, limit }: BucketsAsk): Promise<BucketsPage> {
    const from = after === "" ? bucketKey(prefix) : Buffer.concat([bucketKey(after), Buffer.of(0)]);
    const entries = await this.#meta.scan({ from, to: afterBuckets(prefix), limit: limit + 1 });
    const buckets = entries.slice(0, limit).map(({ key, value, revision }) => ({
      ...unpack(value),
      name: Buffer.from(key).toString("utf8", 1) as BucketName,
      guard: { key, revision },
    }));
    return { buckets, next: entries.length > limit ? buckets.at(-1)?.name : undefined };
  }
}

/** The documents a bucket may carry. Each is stored as the canonical text of what was put. */
const DOCUMENTS = [
  "cors",
  "lifecycle",
  "ownershipControls",
  "publicAccessBlock",
  "tagging",
] as const;
export type DocumentKind = (typeof DOCUMENTS)[number];

export interface BucketsAsk {
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
}

export interface BucketsPage {
  readonly buckets: readonly Bucket[];
  /** The last name of this page when more follow. */
  readonly next: string | undefined;
}

interface StoredDocument {
  readonly format: number;
  readonly text: string;
}

type BucketRecord = Omit<Bucket, "name" | "guard">;

const FORMAT = 1;
const KNOWN_MAX = 10_000;

/** By the bucket's id: a later bucket of the same name begins without documents. */
function documentKey({ id }: Bucket, kind: DocumentKind): Buffer {
  return Buffer.from(`d${id}/${kind}`);
}

function bucketKey(name: string): Buffer {
  return Buffer.from(`b${name}`);
}

/** Names hold nothing above "z", so "{" ends every prefix. */
function afterBuckets(prefix: string): Buffer {
  return bucketKey(`${prefix}{`);
}

function pack(record: BucketRecord): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...record }));
}

function unpack(value: Uint8Array): BucketRecord {
  const { format, ...record } = JSON.parse(Buffer.from(value).toString()) as BucketRecord & {
    format: number;
  };
  assert(format === FORMAT, "a bucket has the format this release writes");
  return record;
}
