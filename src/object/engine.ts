import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Soon } from "#base/soon.ts";
import type {
  Attributes,
  Checksum,
  ChecksumType,
  Metadata,
  ObjectInfo,
  StorageClass,
  Tag,
} from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import type { Bucket, Emptiness } from "#object/bucket.ts";
import type { Conditions, ConditionsOfDelete, WriteConditions } from "#object/conditions.ts";
import type { CustomerKey, Encryption, EncryptionKind } from "#object/encryption.ts";
import type { ObjectKey, PartNumber } from "#object/name.ts";
import type { Room } from "#object/usage.ts";

/** A key of a bucket. */
export interface KeyName {
  readonly bucket: Bucket;
  readonly key: ObjectKey;
}

/** One version of an object: the newest when `versionId` is absent. */
export interface ObjectName extends KeyName {
  readonly versionId?: string;
}

export interface UploadName extends KeyName {
  readonly uploadId: string;
}

/**
 * The objects of a bucket, whatever holds them. Protocols see only this.
 *
 * The laws:
 *  1. A write that resolved is durable, and every later read in any process sees it.
 *  2. A write is visible whole or not at all; one that failed left nothing visible.
 *  3. Conditions hold at the moment of the commit, whoever writes at the same time.
 *  4. Bytes are never moved by copy, completeUpload or a copied part, unless that is what it takes to
 *     encrypt them or to decrypt them.
 *
 * Fails, all: NoSuchBucket (deleted meanwhile), OperationAborted (changed meanwhile).
 */
export interface Engine {
  /** Fails: NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker, by its version). */
  head(name: ObjectName): Soon<ObjectInfo>;
  /**
   * `key` is what a client encrypted it under. Fails: as head; InvalidRequest when it takes a key and
   * there is none, or the other way round; AccessDenied when it is another key.
   */
  get(name: ObjectName, key?: CustomerKey): Soon<OpenObject>;
  /**
   * Fails: PreconditionFailed, ConditionalRequestConflict, BadDigest, what the body fails with;
   * AccountProblem when the room does not do.
   */
  put(name: KeyName, input: PutInput): Promise<ObjectInfo>;
  /** Fails: NoSuchVersion never: deleting what is not there succeeds. */
  delete(name: ObjectName, conditions: DeleteConditions): Promise<Deleted>;
  /** Fails: as get for the source and as put for the destination. */
  copy(name: KeyName, input: CopyInput): Promise<CopyOutcome>;
  /** Fails: NoSuchKey, PreconditionFailed, InvalidBucketState, IdempotencyParameterMismatch. */
  rename(name: KeyName, input: RenameInput): Promise<Renamed>;
  list(bucket: Bucket, ask: ListAsk): Promise<ListPage>;
  listVersions(bucket: Bucket, ask: VersionsAsk): Promise<VersionsPage>;
  /** Fails: BucketNotEmpty while there is a version, a delete marker or an unfinished upload. */
  requireEmpty(bucket: Bucket): Promise<Emptiness>;
  /** Replaces the whole tag set. Fails: as head. */
  setTags(name: ObjectName, tags: readonly Tag[]): Promise<ObjectInfo>;

  /** Fails: AccountProblem when there is no room for a byte. */
  createUpload(name: KeyName, input: UploadInput): Promise<UploadInfo>;
  /** Fails: NoSuchUpload, InvalidRequest (another checksum algorithm), as put. */
  putPart(name: UploadName, part: PartNumber, source: PartSource): Promise<PartInfo>;
  /** Fails: NoSuchUpload, InvalidPart, EntityTooSmall, BadDigest, as put. */
  completeUpload(name: UploadName, input: CompleteInput): Promise<ObjectInfo>;
  /** Fails: NoSuchUpload. */
  abortUpload(name: UploadName): Promise<void>;
  listUploads(bucket: Bucket, ask: UploadsAsk): Promise<UploadsPage>;
  /** Fails: NoSuchUpload. */
  listParts(name: UploadName, ask: PartsAsk): Promise<PartsPage>;
}

export interface OpenObject {
  readonly info: ObjectInfo;
  /** The bytes `from <= i < to`: at once when they are small, else in chunks as they are read. */
  readonly read: (from: number, to: number) => Uint8Array | AsyncIterable<Uint8Array>;
  /** The parts it was uploaded in; one, the whole, when it was put whole. */
  readonly parts: () => Promise<readonly PartInfo[]>;
}

export interface PutInput {
  readonly body: Body;
  readonly attributes: Attributes;
  readonly conditions: WriteConditions;
  readonly encryption?: Encryption | undefined;
  /** Without end when it is absent. A write that goes over it is refused, before its body is read when that is known then. */
  readonly room?: Room | undefined;
}

export interface DeleteConditions extends ConditionsOfDelete {
  /** The current version must be the one written at this very time. */
  readonly modifiedMs?: number;
  /** The named version must have this many newer ones at the least. */
  readonly newerMin?: number;
  /** The named version must be the only one of its key. */
  readonly alone?: true;
}

export interface Deleted {
  /** The delete marker made, or removed when it was named. */
  readonly deleteMarker: boolean;
  /** Of the marker made or of the version removed. */
  readonly versionId: string | undefined;
}

export interface CopyInput {
  readonly source: ObjectName;
  readonly sourceConditions: Conditions;
  readonly conditions: WriteConditions;
  /** Each undefined part is taken over from the source. */
  readonly attributes: {
    readonly metadata: Metadata | undefined;
    /** Where a website redirects to, beside metadata that is taken over; itself it never is. */
    readonly redirect?: string | undefined;
    readonly tags: readonly Tag[] | undefined;
    readonly storageClass: StorageClass | undefined;
  };
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Of the copy; the source's is not taken over. */
  readonly encryption?: Encryption | undefined;
  readonly sourceKey?: CustomerKey | undefined;
  readonly room?: Room | undefined;
}

export interface CopyOutcome {
  readonly object: ObjectInfo;
  readonly sourceVersionId: string | undefined;
}

export interface RenameInput {
  readonly source: ObjectKey;
  readonly sourceConditions: Conditions;
  readonly conditions: Conditions;
  /** Names the request, so that its repetition does nothing again. */
  readonly token: string | undefined;
}

export interface Renamed {
  readonly etag: string;
}

export interface ListAsk {
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** Only keys after this one, by bytes, rolled up as they are; a common prefix stands for all below it. */
  readonly after: string;
  readonly limit: number;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix of this page when more follow. */
  readonly next: string | undefined;
}

/** What a list shows of an object. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly storageClass: StorageClass;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

export interface VersionsAsk {
  readonly prefix: string;
  readonly delimiter: string;
  readonly afterKey: string;
  /** Only versions of `afterKey` older than this one; without it none of `afterKey`. */
  readonly afterVersionId: string | undefined;
  readonly limit: number;
}

export interface ListedVersion extends ListedObject {
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly deleteMarker: boolean;
  /** As `afterVersionId` it goes on after this one, also when it is gone by then. */
  readonly place?: string;
}

export interface VersionsPage {
  readonly versions: readonly ListedVersion[];
  readonly prefixes: readonly string[];
  /** `versionId` is the place of the last one. */
  readonly next: { readonly key: string; readonly versionId: string | undefined } | undefined;
}

export interface UploadInput {
  readonly attributes: Attributes;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly encryption?: Encryption | undefined;
  readonly room?: Room | undefined;
}

export interface UploadInfo extends Omit<UploadInput, "encryption" | "room"> {
  readonly encryption?: EncryptionKind | undefined;
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedMs: number;
}

/** A part's bytes: sent, or a range of another object; `key` is the one the upload was created with. */
export type PartSource = {
  readonly key?: CustomerKey | undefined;
  readonly room?: Room | undefined;
} & (
  | { readonly body: Body }
  | {
      readonly sourceKey?: CustomerKey | undefined;
      readonly source: ObjectName;
      readonly conditions: Conditions;
      /** First and last byte, as HTTP counts; undefined for the whole object. */
      readonly range: { readonly first: number; readonly last: number } | undefined;
    }
);

export interface PartInfo {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  /** By the upload's algorithm; base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  /** Of the object a copied part came from. */
  readonly sourceVersionId?: string | undefined;
  readonly encryption?: EncryptionKind | undefined;
}

export interface CompleteInput {
  readonly parts: readonly CompletePart[];
  readonly conditions: WriteConditions;
  /** Of the whole object, when the client sends it. */
  readonly checksum: Pick<Checksum, "algorithm" | "value"> | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly sizeBytes: number | undefined;
  /** The one the upload was created with. May be left out of one without a checksum algorithm. */
  readonly key?: CustomerKey | undefined;
}

export interface CompletePart {
  /** 1 or more; of one beyond the last that there can be, there is no part. */
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

export interface UploadsAsk {
  readonly prefix: string;
  readonly delimiter: string;
  readonly afterKey: string;
  /** Only uploads of `afterKey` after this one; without it none of `afterKey`. */
  readonly afterUploadId: string | undefined;
  readonly limit: number;
}

export interface UploadsPage {
  readonly uploads: readonly UploadInfo[];
  readonly prefixes: readonly string[];
  readonly next: { readonly key: string; readonly uploadId: string | undefined } | undefined;
}

export interface PartsAsk {
  readonly afterNumber: number;
  readonly limit: number;
  /** As in CompleteInput. */
  readonly key?: CustomerKey | undefined;
}

export interface PartsPage {
  readonly upload: UploadInfo;
  readonly parts: readonly PartInfo[];
  readonly truncated: boolean;
}
