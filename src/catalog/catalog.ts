import type { Clock } from "#base/clock.ts";
import { S3Error, type StorageError } from "#base/error.ts";
import { unpackRecord } from "#base/json-record.ts";
import { randomHex } from "#base/random.ts";
import { type BucketRecord, bucketOf, packBucket } from "#catalog/bucket-record.ts";
import {
  type BucketSettings,
  damagedDocument,
  NO_SETTINGS,
  readSettings,
} from "#catalog/bucket-settings.ts";
import type { ControlSettings } from "#catalog/control-settings.ts";
import { damageOf } from "#catalog/record-shape.ts";
import { controlSettingsIn, packDocument, unpackDocument } from "#catalog/stored-document.ts";
import { Zones } from "#catalog/zones.ts";
import type { Change, Entry, Guard, MetaStore, MetaView, Write } from "#meta/store.ts";
import type { Bucket, Versioning, VolumeSettings } from "#object/bucket.ts";
import type { LifecycleRule } from "#object/lifecycle.ts";
import type { BucketName } from "#object/name.ts";

/** Buckets: which there are, whose they are, and how they are set. */
export class Catalog {
  readonly zones: Zones;
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  /** What was last read of a bucket, good for as long as its revision is. */
  readonly #known = new Map<string, Bucket>();
  readonly #settings = new Map<
    string,
    { readonly revision: number; readonly settings: BucketSettings }
  >();

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.zones = new Zones(meta, clock);
  }

  /** Fails: NoSuchBucket. */
  async bucket(name: BucketName): Promise<Bucket> {
    const bucket = await this.find(name);
    if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: name });
    return bucket;
  }

  async find(name: BucketName): Promise<Bucket | undefined> {
    const entry = await this.#meta.get(bucketKey(name));
    if (entry === undefined) return undefined;
    const known = this.#known.get(name);
    if (known?.guard.revision === entry.revision) return known;
    const bucket = bucketOf(name, entry);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(name, bucket);
    return bucket;
  }

  /**
   * Makes a bucket, or finds that the owner has made the same one before. `id` is an organization's.
   * Fails: BucketAlreadyOwnedByYou (in another region, of other tags), BucketAlreadyExists, TooManyBuckets.
   */
  async create(
    name: BucketName,
    owner: { readonly id: string; readonly region: string },
    { volume, tagging }: NewBucket = {},
  ): Promise<void> {
    const key = bucketKey(name);
    const record: BucketRecord = {
      id: randomHex(8),
      organizationId: owner.id,
      region: owner.region,
      createdMs: this.#clock.now(),
      versioning: undefined,
      volume,
    };
    const writes = [
      { key, value: packBucket(record) },
      { key: ownedKey(owner.id, name), value: NOTHING },
      ...(tagging === undefined ? [] : documentWrites(record, "tagging", tagging)),
    ];
    for (let attempt = 0; attempt < CREATE_ATTEMPTS_MAX; attempt += 1) {
      const existing = await this.find(name);
      // One that is there already takes no more room.
      if (existing !== undefined) {
        return await this.#requireSame(existing, owner, { volume, tagging });
      }
      const room = await this.#requireRoom(owner.id);
      const guards = [{ key, revision: 0 }, room];
      const counted = [...writes, { key: room.key, value: NOTHING }];
      if ((await this.#meta.commit({ guards, writes: counted })) !== undefined) return;
    }
    throw new S3Error("SlowDown", {});
  }

  async #requireSame(
    bucket: Bucket,
    owner: { readonly id: string; readonly region: string },
    { volume, tagging }: NewBucket,
  ): Promise<void> {
    const { name, organizationId, region } = bucket;
    if (organizationId !== owner.id) throw new S3Error("BucketAlreadyExists", { BucketName: name });
    const tagged = tagging === undefined || (await this.document(bucket, "tagging")) === tagging;
    if (region !== owner.region || volume !== undefined || !tagged) {
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
    const writes = [
      { key: bucket.guard.key, value: undefined },
      { key: ownedKey(bucket.organizationId, bucket.name), value: undefined },
      { key: documentsKey(bucket), value: undefined },
      ...documents,
      ...empty.writes,
    ];
    if ((await this.#meta.commit({ guards, writes })) === undefined) {
      throw new S3Error("OperationAborted", {});
    }
  }

  async setVersioning(bucket: Bucket, versioning: Versioning): Promise<void> {
    await this.#replace({ ...bucket, versioning });
  }

  /** Fails: OperationAborted. */
  async setVolume(bucket: Bucket, volume: VolumeSettings): Promise<void> {
    await this.#replace({ ...bucket, volume });
  }

  /** Forgets a volume; its directory stays as it is. Fails: OperationAborted. */
  async removeVolume(bucket: Bucket): Promise<void> {
    await this.delete(bucket, { guards: [], writes: [] });
  }

  async #replace(bucket: Bucket): Promise<void> {
    const { id, organizationId, region, createdMs, versioning, volume } = bucket;
    const value = packBucket({ id, organizationId, region, createdMs, versioning, volume });
    const change = { guards: [bucket.guard], writes: [{ key: bucket.guard.key, value }] };
    if ((await this.#meta.commit(change)) === undefined) throw new S3Error("OperationAborted", {});
  }

  /** Undefined when the bucket carries no such document. Fails: StorageError "corrupt". */
  async document(bucket: Bucket, kind: DocumentKind): Promise<string | undefined> {
    const entry = await this.#meta.get(documentKey(bucket, kind));
    if (entry === undefined) return undefined;
    try {
      return unpackDocument(entry.value);
    } catch (cause) {
      throw damagedDocument(bucket.name, kind, cause);
    }
  }

  /**
   * What the documents mean to a request: read from their texts once for each change of any of them, and
   * one small read else.
   */
  async settings(bucket: Bucket): Promise<BucketSettings> {
    const index = await this.#meta.get(documentsKey(bucket));
    if (index === undefined) return NO_SETTINGS;
    const known = this.#settings.get(bucket.id);
    if (known?.revision === index.revision) return known.settings;
    // Read after the index: what changes meanwhile makes the index another one.
    const text = async (kind: DocumentKind) => await this.document(bucket, kind);
    const settings = await readSettings(bucket, text);
    if (this.#settings.size >= KNOWN_MAX) this.#settings.clear();
    this.#settings.set(bucket.id, { revision: index.revision, settings });
    return settings;
  }

  /** What is to be carried out. Fails: StorageError "corrupt" while any document of the bucket is. */
  async lifecycle(bucket: Bucket): Promise<readonly LifecycleRule[]> {
    const { lifecycle, damage } = await this.settings(bucket);
    if (damage !== undefined) throw damage;
    return lifecycle;
  }

  /** Puts one document, or deletes it when `text` is undefined. Fails: OperationAborted. */
  async setDocument(bucket: Bucket, kind: DocumentKind, text: string | undefined): Promise<void> {
    // The guard makes it impossible to configure a bucket that is being deleted.
    await this.#putDocument(bucket, { kind, text, guards: [bucket.guard] });
  }

  /** What the control API sets, all of it together. Resolves to what it is now. Fails: OperationAborted. */
  async changeControlSettings(
    bucket: Bucket,
    change: (before: ControlSettings) => ControlSettings,
  ): Promise<ControlSettings> {
    const kind = "settings";
    const key = documentKey(bucket, kind);
    const entry = await this.#meta.get(key);
    const changed = change(controlSettingsIn(entry?.value));
    const guards = [bucket.guard, { key, revision: entry?.revision ?? 0 }];
    await this.#putDocument(bucket, { kind, text: JSON.stringify(changed), guards });
    return changed;
  }

  /** In order of their names: all, or an organization's. */
  async list({ organizationId, prefix, after, limit }: BucketsAsk): Promise<BucketsPage> {
    const all = organizationId === undefined;
    const keyOf = all ? bucketKey : (name: string) => ownedKey(organizationId, name);
    const from = after === "" ? keyOf(prefix) : Buffer.concat([keyOf(after), NOTHING]);
    const to = keyOf(`${prefix}${AFTER_NAMES}`);
    const entries = await this.#meta.scan({ from, to, limit: limit + 1 });
    const page = entries.slice(0, limit);
    const names = page.map(({ key }) => Buffer.from(key).toString("utf8", keyOf("").length));
    const found = await Promise.all(
      page.map((entry, at) => this.#row(names[at] as BucketName, all ? entry : undefined)),
    );
    const rows = found.flatMap((row) => row ?? []);
    const buckets = rows.flatMap((row) => ("damage" in row ? [] : row.bucket));
    return { rows, buckets, next: entries.length > limit ? names.at(-1) : undefined };
  }

  async #row(name: BucketName, entry: Entry | undefined): Promise<BucketRow | undefined> {
    try {
      const bucket = entry === undefined ? await this.find(name) : bucketOf(name, entry);
      return bucket && { name, bucket };
    } catch (cause) {
      return { name, damage: damageOf(cause) };
    }
  }

  /** Gives the buckets that an older release made, when there were no organizations, to this one. */
  async adopt(organizationId: string): Promise<void> {
    const from = bucketKey("");
    const to = bucketKey(AFTER_NAMES);
    const entries = await this.#meta.scan({ from, to, limit: ADOPTED_MAX });
    for (const { key, value, revision } of entries) {
      const record = readAdopted(value);
      if (record === undefined) continue;
      const name = Buffer.from(key).toString("utf8", 1);
      await this.#meta.commit({
        guards: [{ key, revision }],
        writes: [
          { key, value: packBucket({ ...record, organizationId }) },
          { key: ownedKey(organizationId, name), value: NOTHING },
          { key: documentsKey(record), value: NOTHING },
        ],
      });
    }
  }

  async #putDocument(bucket: Bucket, { kind, text, guards }: PutDocument): Promise<void> {
    const writes = documentWrites(bucket, kind, text);
    if ((await this.#meta.commit({ guards, writes })) === undefined) {
      throw new S3Error("OperationAborted", {});
    }
  }

  /** A guard that holds for as long as nobody else makes a bucket. Fails: TooManyBuckets. */
  async #requireRoom(organizationId: string): Promise<Guard> {
    const key = Buffer.from(`y${organizationId}`);
    // Read first: whoever is counted below has written it before.
    const last = await this.#meta.get(key);
    const from = ownedKey(organizationId, "");
    const to = ownedKey(organizationId, AFTER_NAMES);
    const owned = await this.#meta.scan({ from, to, limit: BUCKETS_MAX });
    if (owned.length >= BUCKETS_MAX) throw new S3Error("TooManyBuckets", {});
    return { key, revision: last?.revision ?? 0 };
  }
}

/** The documents a bucket may carry. Each is stored as the canonical text of what was put. */
const DOCUMENTS = [
  "cors",
  "encryption",
  "lifecycle",
  "ownershipControls",
  "policy",
  "publicAccessBlock",
  "settings",
  "tagging",
] as const;
export type DocumentKind = (typeof DOCUMENTS)[number];

/** What a bucket may have from its beginning. */
interface NewBucket {
  readonly volume?: VolumeSettings | undefined;
  /** The text of its `tagging` document. */
  readonly tagging?: string | undefined;
}

export interface BucketsAsk {
  /** Of all organizations when it is absent. */
  readonly organizationId?: string | undefined;
  readonly prefix: string;
  readonly after: string;
  readonly limit: number;
}

/** A bucket, or what is wrong with its record: then no more than its name is known. */
export type BucketRow = { readonly name: BucketName } & (
  | { readonly bucket: Bucket }
  | { readonly damage: StorageError }
);

export interface BucketsPage {
  readonly rows: readonly BucketRow[];
  /** Those of the rows that can be read. */
  readonly buckets: readonly Bucket[];
  /** The last name of this page when more follow. */
  readonly next: string | undefined;
}

interface PutDocument {
  readonly kind: DocumentKind;
  readonly text: string | undefined;
  readonly guards: readonly Guard[];
}

const KNOWN_MAX = 10_000;
const NOTHING = Buffer.of(0);
/** Of an organization, as CoreWeave limits them. */
const BUCKETS_MAX = 1_000;
const ADOPTED_MAX = 1_000_000;
/** Buckets of one organization are made one after the other. */
const CREATE_ATTEMPTS_MAX = 1_000;
/** Names hold nothing above "z", so "{" ends every prefix. */
const AFTER_NAMES = "{";

function documentWrites(
  bucket: Pick<Bucket, "id">,
  kind: DocumentKind,
  text: string | undefined,
): Write[] {
  const value = text === undefined ? undefined : packDocument(text);
  return [
    { key: documentKey(bucket, kind), value },
    { key: documentsKey(bucket), value: NOTHING },
  ];
}

/** By the bucket's id: a later bucket of the same name begins without documents. */
function documentKey({ id }: Pick<Bucket, "id">, kind: DocumentKind): Buffer {
  return Buffer.from(`d${id}/${kind}`);
}

/** Written with each change of a document of the bucket: its revision stands for all of them. */
export function documentsKey({ id }: Pick<Bucket, "id">): Buffer {
  return Buffer.from(`D${id}`);
}

function bucketKey(name: string): Buffer {
  return Buffer.from(`b${name}`);
}

/** All buckets of an organization, as they are in one view of the store. */
export async function bucketsIn(view: MetaView, organizationId: string): Promise<Bucket[]> {
  const owned = ownedKey(organizationId, "");
  const to = ownedKey(organizationId, AFTER_NAMES);
  // An earlier release let a few more in when they came at the same moment.
  const entries = await view.scan({ from: owned, to, limit: 2 * BUCKETS_MAX });
  const names = entries.map(({ key }) => Buffer.from(key).toString("utf8", owned.length));
  const found = await Promise.all(names.map((name) => view.get(bucketKey(name))));
  return found.flatMap((entry, at) =>
    entry === undefined ? [] : bucketOf(names[at] as BucketName, entry),
  );
}

/** Which buckets an organization has. */
export function ownedKey(organizationId: string, name: string): Buffer {
  return Buffer.from(`B${organizationId}/${name}`);
}

/** What an older release wrote; undefined for what has an owner already, or cannot be read. */
function readAdopted(value: Uint8Array): BucketRecord | undefined {
  try {
    const { ownerId: _, ...record } = unpackRecord(value) as BucketRecord & { ownerId?: unknown };
    return record.organizationId === undefined ? record : undefined;
  } catch {
    return undefined;
  }
}
