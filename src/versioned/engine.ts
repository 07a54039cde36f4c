import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import { after, type Soon } from "#base/soon.ts";
import type { ObjectInfo, Tag } from "#object/attributes.ts";
import type { Bucket, Emptiness } from "#object/bucket.ts";
import { requireForWrite } from "#object/conditions.ts";
import type { CustomerKey } from "#object/encryption.ts";
import type {
  CompleteInput,
  CopyInput,
  CopyOutcome,
  DeleteConditions,
  Deleted,
  Engine,
  KeyName,
  ListAsk,
  ListPage,
  ObjectName,
  OpenObject,
  PartInfo,
  PartSource,
  PartsAsk,
  PartsPage,
  PutInput,
  Renamed,
  RenameInput,
  UploadInfo,
  UploadInput,
  UploadName,
  UploadsAsk,
  UploadsPage,
  VersionsAsk,
  VersionsPage,
} from "#object/engine.ts";
import type { PartNumber } from "#object/name.ts";
import { completeUpload } from "#versioned/complete.ts";
import { openInline, readExtents } from "#versioned/content.ts";
import { copyObject } from "#versioned/copy.ts";
import { deleteVersion } from "#versioned/delete.ts";
import { type Lock, lockOf, newLock } from "#versioned/encryption.ts";
import { closedSpan, usageKey } from "#versioned/keys.ts";
import { listHeads, listUploads, listVersions } from "#versioned/listing.ts";
import { putPart } from "#versioned/parts.ts";
import { planRewrite, validatorsOf } from "#versioned/plan.ts";
import { contentOf, type Received, receive } from "#versioned/receive.ts";
import { infoOf, type VersionRecord } from "#versioned/record.ts";
import { renameObject } from "#versioned/rename.ts";
import {
  commitDecision,
  extentsOf,
  type FoundVersion,
  findVersion,
  keepingNoOrphan,
  keyState,
  manifestOf,
  type Stores,
} from "#versioned/store.ts";
import { abortUpload, createUpload, listParts, partInfo } from "#versioned/uploads.ts";
import { requireRoom } from "#versioned/usage.ts";
import { makeVersion } from "#versioned/write.ts";

/** When a client names no algorithm, as AWS does since 2024. */
const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

/** Engine over a MetaStore and a BlobStore. Each method says what; the files beside it say how. */
export class VersionedEngine implements Engine {
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  head(name: ObjectName): Soon<ObjectInfo> {
    return after(findVersion(this.#stores, name), ({ record, versionId }) =>
      infoOf(name.key, record, versionId),
    );
  }

  get(name: ObjectName, key?: CustomerKey): Soon<OpenObject> {
    return after(findVersion(this.#stores, name), (found) => {
      const lock = lockOf(this.#stores.keyring, found.record.encryption, key);
      return {
        info: infoOf(name.key, found.record, found.versionId),
        read: (from, to) => this.#read(found, { from, to, lock }),
        parts: async () => await this.#parts(found),
      };
    });
  }

  async put(name: KeyName, input: PutInput): Promise<ObjectInfo> {
    const { body, attributes, conditions, room } = input;
    const { storageClass } = attributes;
    const before = await keyState(this.#stores, name);
    // Asked before the body is, so that a write that cannot succeed costs no transfer.
    requireForWrite(conditions, validatorsOf(before.head), name.key);
    const sizeBytes = body.sizeBytesMin ?? body.sizeBytes;
    await requireRoom(this.#stores.meta, name.bucket, { storageClass, sizeBytes, room });
    const algorithm = body.algorithm ?? DEFAULT_ALGORITHM;
    const lock = newLock(this.#stores.keyring, input.encryption);
    const received = await receive(body, this.#stores.blobs, {
      inlineBytesMax: this.#stores.limits.inlineBytesMax,
      algorithms: [algorithm],
      lock,
    });
    const encryption = lock?.record;
    const record = this.#recordOf(name.bucket, received, { attributes, algorithm, encryption });
    const newReferences = received.blob === undefined ? [] : [received.blob.id];
    const version = { record, inline: received.inline, newReferences };
    return await keepingNoOrphan(this.#stores, newReferences, async () =>
      makeVersion(this.#stores, name, { version, conditions, before, room }),
    );
  }

  async delete(name: ObjectName, conditions: DeleteConditions): Promise<Deleted> {
    return await deleteVersion(this.#stores, name, conditions);
  }

  async copy(name: KeyName, input: CopyInput): Promise<CopyOutcome> {
    return await copyObject(this.#stores, name, input);
  }

  async rename(name: KeyName, input: RenameInput): Promise<Renamed> {
    return await renameObject(this.#stores, name, input);
  }

  async list(bucket: Bucket, ask: ListAsk): Promise<ListPage> {
    return await listHeads(this.#stores.meta, bucket, ask);
  }

  async listVersions(bucket: Bucket, ask: VersionsAsk): Promise<VersionsPage> {
    return await listVersions(this.#stores.meta, bucket, ask);
  }

  async requireEmpty(bucket: Bucket): Promise<Emptiness> {
    const { meta } = this.#stores;
    const key = usageKey(bucket.id);
    // Read first: every write to the bucket changes the counter's revision.
    const usage = await meta.get(key);
    for (const kind of ["v", "u"] as const) {
      const found = await meta.scan({ ...closedSpan(kind, bucket.id, ""), limit: 1 });
      if (found.length > 0) throw new S3Error("BucketNotEmpty", { BucketName: bucket.name });
    }
    return {
      guards: [{ key, revision: usage?.revision ?? 0 }],
      writes: [{ key, value: undefined }],
    };
  }

  async setTags(name: ObjectName, tags: readonly Tag[]): Promise<ObjectInfo> {
    const { outcome } = await commitDecision(this.#stores, name.bucket, async () => {
      const state = await keyState(this.#stores, name);
      const found = await findVersion(this.#stores, name);
      const { head } = state;
      if (head === undefined) throw new S3Error("NoSuchKey", { Key: name.key });
      const record = { ...found.record, attributes: { ...found.record.attributes, tags } };
      const change = planRewrite(name, { ...state, head }, { ...found, record });
      return { change, outcome: infoOf(name.key, record, found.versionId) };
    });
    return outcome;
  }

  async createUpload(name: KeyName, input: UploadInput): Promise<UploadInfo> {
    return await createUpload(this.#stores, name, input);
  }

  async putPart(name: UploadName, part: PartNumber, source: PartSource): Promise<PartInfo> {
    return await putPart(this.#stores, name, { part, source });
  }

  async completeUpload(name: UploadName, input: CompleteInput): Promise<ObjectInfo> {
    return await completeUpload(this.#stores, name, input);
  }

  async abortUpload(name: UploadName): Promise<void> {
    await abortUpload(this.#stores, name);
  }

  async listUploads(bucket: Bucket, ask: UploadsAsk): Promise<UploadsPage> {
    return await listUploads(this.#stores.meta, bucket, ask);
  }

  async listParts(name: UploadName, ask: PartsAsk): Promise<PartsPage> {
    return await listParts(this.#stores, name, ask);
  }

  #recordOf(
    bucket: Bucket,
    received: Received,
    rest: Pick<VersionRecord, "attributes" | "encryption"> & {
      readonly algorithm: ChecksumAlgorithm;
    },
  ): VersionRecord {
    const { attributes, encryption, algorithm } = rest;
    const value = received.checksums[algorithm];
    return {
      deleteMarker: false,
      isNull: bucket.versioning !== "Enabled",
      sizeBytes: received.sizeBytes,
      md5: received.md5,
      partsCount: 0,
      modifiedMs: this.#stores.clock.now(),
      attributes,
      checksum: value === undefined ? undefined : { algorithm, type: "FULL_OBJECT", value },
      content: contentOf(received),
      encryption,
    };
  }

  #read(found: FoundVersion, range: OpenedRange) {
    if (found.record.content.kind !== "inline") return this.#readBlobs(found, range);
    return openInline(found, range.lock).subarray(range.from, range.to);
  }

  async *#readBlobs({ record }: FoundVersion, range: OpenedRange) {
    const extents = await extentsOf(this.#stores, record.content);
    yield* readExtents(this.#stores.blobs, extents, range);
  }

  async #parts({ record }: FoundVersion): Promise<readonly PartInfo[]> {
    const algorithm = record.checksum?.algorithm;
    if (record.content.kind === "manifest") {
      const { parts } = await manifestOf(this.#stores, record.content.id);
      return parts.map((part) => partInfo(part, algorithm));
    }
    const { sizeBytes, md5, modifiedMs } = record;
    return [{ number: 1, sizeBytes, etag: md5, modifiedMs, checksum: undefined }];
  }
}

interface OpenedRange {
  readonly from: number;
  readonly to: number;
  readonly lock: Lock | undefined;
}
