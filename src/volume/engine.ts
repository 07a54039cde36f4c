import { S3Error } from "#base/error.ts";
import type { Attributes, ObjectInfo, Tag } from "#object/attributes.ts";
import type { Bucket, Emptiness } from "#object/bucket.ts";
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
import { completeUpload } from "#volume/complete.ts";
import { copyObject } from "#volume/copy.ts";
import { deleteObject } from "#volume/delete.ts";
import { type KeyPath, pathOfKey } from "#volume/key-path.ts";
import { listUploads } from "#volume/list-uploads.ts";
import { listObjects } from "#volume/listing.ts";
import { listParts } from "#volume/part-record.ts";
import { copyPart, putPart } from "#volume/parts.ts";
import { putObject } from "#volume/put.ts";
import { getObject, headObject } from "#volume/read.ts";
import { renameObject } from "#volume/rename.ts";
import { told } from "#volume/told-error.ts";
import { abortUpload, createUpload } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

/**
 * Engine over directories that other programs read and write at the same time. What they cannot hold,
 * as versions, tags and encrypted objects, is NotImplemented, by its name.
 *
 * Law 4 holds where the file system shares blocks, and for parts of one size.
 */
export class VolumeEngine implements Engine {
  readonly #volumeOf: (bucket: Bucket) => Promise<Volume>;

  /** `volumeOf` fails with NoSuchBucket when it has gone. */
  constructor(volumeOf: (bucket: Bucket) => Promise<Volume>) {
    this.#volumeOf = volumeOf;
  }

  async head(name: ObjectName): Promise<ObjectInfo> {
    return await this.#read(name, headObject);
  }

  async get(name: ObjectName, key?: CustomerKey): Promise<OpenObject> {
    if (key !== undefined) throw notImplemented("SSE-C");
    return await this.#read(name, getObject);
  }

  async put(name: KeyName, input: PutInput): Promise<ObjectInfo> {
    requirePlain(input);
    return await this.#write(name, (volume, path) => putObject(volume, path, input));
  }

  async delete(name: ObjectName, conditions: DeleteConditions): Promise<Deleted> {
    requireCurrent(name);
    const path = pathOfKey(name.key);
    // What no path can name is not there.
    if (!(path instanceof S3Error)) {
      await this.#with(name, (volume) => deleteObject(volume, path, conditions));
    } else if (conditions.ifMatch !== undefined) {
      throw new S3Error("NoSuchKey", { Key: name.key });
    }
    return { deleteMarker: false, versionId: undefined };
  }

  async copy(name: KeyName, input: CopyInput): Promise<CopyOutcome> {
    requirePlain({ encryption: input.encryption, attributes: input.attributes });
    if (input.sourceKey !== undefined) throw notImplemented("SSE-C");
    const from = { path: readable(input.source), conditions: input.sourceConditions };
    return await this.#with(input.source, (source) =>
      this.#write(name, (volume, path) =>
        copyObject(volume, path, { source: { ...from, volume: source }, input }),
      ),
    );
  }

  async rename(name: KeyName, input: RenameInput): Promise<Renamed> {
    const from = readable({ ...name, key: input.source });
    return await this.#write(name, (volume, path) => renameObject(volume, path, { from, input }));
  }

  async list(bucket: Bucket, ask: ListAsk): Promise<ListPage> {
    const name = { bucket, key: ask.prefix };
    return await this.#with(name, (volume) => listObjects(volume, ask));
  }

  async listVersions(_bucket: Bucket, _ask: VersionsAsk): Promise<VersionsPage> {
    throw notImplemented("ListObjectVersions");
  }

  async requireEmpty(_bucket: Bucket): Promise<Emptiness> {
    throw notImplemented("DeleteBucket");
  }

  async setTags(_name: ObjectName, _tags: readonly Tag[]): Promise<ObjectInfo> {
    throw notImplemented("PutObjectTagging");
  }

  async createUpload(name: KeyName, input: UploadInput): Promise<UploadInfo> {
    requirePlain(input);
    return await this.#write(name, (volume, path) => createUpload(volume, path, input));
  }

  async putPart(name: UploadName, part: PartNumber, source: PartSource): Promise<PartInfo> {
    if (source.key !== undefined) throw notImplemented("SSE-C");
    const { key, uploadId } = name;
    const to = { key, uploadId, number: part };
    if ("body" in source) {
      return await this.#with(name, (volume) => putPart(volume, to, source.body));
    }
    if (source.sourceKey !== undefined) throw notImplemented("SSE-C");
    const { conditions, range } = source;
    const from = { path: readable(source.source), conditions, range };
    return await this.#with(source.source, (read) =>
      this.#with(name, (volume) => copyPart(volume, to, { ...from, volume: read })),
    );
  }

  async completeUpload(name: UploadName, input: CompleteInput): Promise<ObjectInfo> {
    if (input.key !== undefined) throw notImplemented("SSE-C");
    const { uploadId } = name;
    return await this.#write(name, (volume, path) =>
      completeUpload(volume, { path, uploadId, input }),
    );
  }

  async abortUpload(name: UploadName): Promise<void> {
    await this.#with(name, (volume) => abortUpload(volume, name.key, name.uploadId));
  }

  async listUploads(bucket: Bucket, ask: UploadsAsk): Promise<UploadsPage> {
    const name = { bucket, key: ask.prefix };
    return await this.#with(name, (volume) => listUploads(volume, ask));
  }

  async listParts(name: UploadName, ask: PartsAsk): Promise<PartsPage> {
    return await this.#with(name, (volume) => listParts(volume, name, ask));
  }

  /** Fails: NoSuchKey for what no path can name. */
  async #read<T>(
    name: ObjectName,
    work: (volume: Volume, path: KeyPath) => Promise<T>,
  ): Promise<T> {
    const path = readable(name);
    return await this.#with(name, (volume) => work(volume, path));
  }

  /** Fails: InvalidArgument, KeyTooLongError for what no path can name. */
  async #write<T>(
    { bucket, key }: KeyName,
    work: (volume: Volume, path: KeyPath) => Promise<T>,
  ): Promise<T> {
    const path = pathOfKey(key);
    if (path instanceof S3Error) throw path;
    return await this.#with({ bucket, key }, (volume) => work(volume, path));
  }

  /** `key` is told where the file system refuses it. */
  async #with<T>(
    { bucket, key }: { readonly bucket: Bucket; readonly key: string },
    work: (volume: Volume) => Promise<T>,
  ): Promise<T> {
    const volume = await this.#volumeOf(bucket);
    return await volume.use(() => told(key, () => work(volume)));
  }
}

/** Fails: NoSuchKey, NotImplemented. */
function readable(name: ObjectName): KeyPath {
  requireCurrent(name);
  const path = pathOfKey(name.key);
  if (path instanceof S3Error) throw new S3Error("NoSuchKey", { Key: name.key }, { cause: path });
  return path;
}

/** A file has one version, "null". Fails: NotImplemented. */
function requireCurrent({ versionId }: ObjectName): void {
  if (versionId !== undefined && versionId !== "null") throw notImplemented("Versioning");
}

/** Fails: NotImplemented, InvalidStorageClass. */
function requirePlain({
  encryption,
  attributes,
}: {
  readonly encryption?: UploadInput["encryption"];
  readonly attributes: {
    readonly tags: Attributes["tags"] | undefined;
    readonly storageClass: Attributes["storageClass"] | undefined;
  };
}): void {
  if (encryption !== undefined) throw notImplemented(encryption.kind);
  if ((attributes.tags?.length ?? 0) > 0) throw notImplemented("Tagging");
  const { storageClass = "STANDARD" } = attributes;
  if (storageClass === "STANDARD") return;
  throw new S3Error("InvalidStorageClass", { StorageClassRequested: storageClass });
}

function notImplemented(feature: string): S3Error {
  const message = `${feature} is not implemented for volumes.`;
  return new S3Error("NotImplemented", { Operation: feature }, { message });
}
