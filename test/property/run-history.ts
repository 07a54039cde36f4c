import assert from "node:assert/strict";
import { S3Error } from "#base/error.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Bucket } from "#object/bucket.ts";
import type { KeyName, OpenObject } from "#object/engine.ts";
import { bucketName, objectKey, partNumber } from "#object/name.ts";
import type { Step, VersionedStep } from "#test/property/arbitrary.ts";
import { BucketModel } from "#test/property/bucket-model.ts";
import { MovableClock } from "#test/support/server.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { collectGarbage } from "#versioned/garbage.ts";
import type { Stores } from "#versioned/store.ts";

type StepOf<Kind extends Step["kind"]> = Extract<Step, { readonly kind: Kind }>;

const NOTHING_SAID = { headers: {}, userMetadata: {}, tags: [], storageClass: "STANDARD" } as const;
const NAME = bucketName("bucket");

/** An engine over memory and a model of it, to which the same is done. */
export class History {
  readonly model = new BucketModel();
  readonly clock = new MovableClock();
  readonly stores: Stores;
  readonly engine: VersionedEngine;
  /** Unfinished uploads, with the bytes of their parts. */
  readonly uploads = new Map<string, { readonly key: string; readonly partBytes: number }>();
  readonly #catalog: Catalog;

  constructor() {
    this.stores = {
      meta: new MemoryMetaStore(),
      blobs: new MemoryBlobStore(this.clock),
      clock: this.clock,
      limits: { inlineBytesMax: 16, partBytesMin: 5 },
    };
    this.engine = new VersionedEngine(this.stores);
    this.#catalog = new Catalog(this.stores.meta, this.clock);
  }

  static async run(steps: readonly VersionedStep[]): Promise<History> {
    const history = new History();
    await history.#catalog.create(NAME, { id: "owner", region: "r" });
    for (const step of steps) {
      history.clock.move(1_000);
      await history.#do(step);
    }
    return history;
  }

  async bucket(): Promise<Bucket> {
    return await this.#catalog.bucket(NAME);
  }

  async name(key: string): Promise<KeyName> {
    return { bucket: await this.bucket(), key: objectKey(key) };
  }

  /** Throws away everything that has been discarded. */
  async collect(): Promise<void> {
    const { entries } = await collectGarbage(this.stores, this.clock.now() + 1);
    if (entries > 0) await this.collect();
  }

  async #do(step: VersionedStep): Promise<void> {
    switch (step.kind) {
      case "put":
        return await this.#put(step);
      case "delete":
        return await this.#delete(step);
      case "deleteVersion":
        return await this.#deleteVersion(step);
      case "copy":
        return await this.#copy(step);
      case "rename":
        return await this.#rename(step);
      case "tag":
        return await this.#tag(step);
      case "upload":
        return await this.#upload(step);
      case "collect":
        return await this.collect();
      case "abortAll":
        return await this.#abortAll();
      case "versioning":
        await this.#catalog.setVersioning(await this.bucket(), step.to);
        this.model.versioning = step.to;
    }
  }

  async #put({ key, bytes }: StepOf<"put">): Promise<void> {
    const input = { body: bodyOf(bytes), attributes: NOTHING_SAID, conditions: {} };
    const { versionId } = await this.engine.put(await this.name(key), input);
    this.model.put(key, this.#idOf(versionId), bytes);
  }

  async #delete({ key }: StepOf<"delete">): Promise<void> {
    const deleted = await this.engine.delete(await this.name(key), {});
    assert.equal(deleted.deleteMarker, this.model.versioning !== undefined);
    this.model.delete(key, deleted.versionId);
  }

  async #deleteVersion({ key, at }: StepOf<"deleteVersion">): Promise<void> {
    const version = this.model.of(key)[at];
    const versionId = version?.id ?? "000000000fffffff";
    const deleted = await this.engine.delete({ ...(await this.name(key)), versionId }, {});
    assert.equal(deleted.deleteMarker, version !== undefined && version.bytes === undefined);
    this.model.deleteVersion(key, versionId);
  }

  async #copy({ from, to }: StepOf<"copy">): Promise<void> {
    const bytes = this.model.current(from);
    const copied = this.engine.copy(await this.name(to), {
      source: await this.name(from),
      ...{ sourceConditions: {}, conditions: {}, algorithm: undefined },
      attributes: { metadata: undefined, tags: undefined, storageClass: undefined },
    });
    if (bytes === undefined) return await refused(copied, "NoSuchKey");
    this.model.put(to, this.#idOf((await copied).object.versionId), bytes);
  }

  async #rename({ from, to }: StepOf<"rename">): Promise<void> {
    const { bucket, key } = await this.name(to);
    const renamed = this.engine.rename(
      { bucket, key },
      { source: objectKey(from), conditions: {}, sourceConditions: {}, token: undefined },
    );
    if (this.model.versioning !== undefined) return await refused(renamed, "InvalidBucketState");
    if (this.model.current(from) === undefined) return await refused(renamed, "NoSuchKey");
    await renamed;
    if (from !== to) this.model.rename(from, to);
  }

  async #tag({ key }: StepOf<"tag">): Promise<void> {
    const tagged = this.engine.setTags(await this.name(key), [["a", "1"]]);
    if (this.model.current(key) === undefined) return await refused(tagged, "NoSuchKey");
    await tagged;
  }

  async #upload({ key, parts, completed, end }: StepOf<"upload">): Promise<void> {
    const name = await this.name(key);
    const input = { attributes: NOTHING_SAID, algorithm: undefined, checksumType: undefined };
    const { uploadId } = await this.engine.createUpload(name, input);
    const upload = { ...name, uploadId };
    const sent = new Map<number, { readonly etag: string; readonly bytes: Buffer }>();
    for (const part of parts) {
      const made = await this.#part(upload, part);
      if (made !== undefined) sent.set(part.number, made);
    }
    const partBytes = [...sent.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.uploads.set(uploadId, { key, partBytes });
    if (end === "leave") return;
    const chosen = completed.flatMap((number) => {
      const part = sent.get(number);
      return part === undefined ? [] : [{ ...part, number: partNumber(String(number)) }];
    });
    if (end === "abort" || chosen.length === 0) {
      await this.engine.abortUpload(upload);
    } else {
      const object = await this.engine.completeUpload(upload, {
        parts: chosen.map(({ number, etag }) => ({ number, etag, checksums: {} })),
        ...{ conditions: {}, checksum: undefined, checksumType: undefined, sizeBytes: undefined },
      });
      const bytes = Buffer.concat(chosen.map((part) => part.bytes));
      this.model.put(key, this.#idOf(object.versionId), bytes);
    }
    this.uploads.delete(uploadId);
  }

  /** undefined when what it would be copied from is too short, or missing. */
  async #part(
    upload: KeyName & { readonly uploadId: string },
    { number, bytes, from }: StepOf<"upload">["parts"][number],
  ): Promise<{ etag: string; bytes: Buffer } | undefined> {
    const to = partNumber(String(number));
    if (from === undefined) {
      const { etag } = await this.engine.putPart(upload, to, { body: bodyOf(bytes) });
      return { etag, bytes: Buffer.from(bytes) };
    }
    const range = { first: from.first, last: from.first + from.length - 1 };
    const source = await this.name(from.key);
    const copied = this.engine.putPart(upload, to, { source, conditions: {}, range });
    const whole = this.model.current(from.key);
    if (whole === undefined) await refused(copied, "NoSuchKey");
    else if (range.last >= whole.length) await refused(copied, "InvalidArgument");
    else {
      const { etag } = await copied;
      return { etag, bytes: Buffer.from(whole.subarray(range.first, range.last + 1)) };
    }
    return undefined;
  }

  async #abortAll(): Promise<void> {
    for (const [uploadId, { key }] of this.uploads) {
      await this.engine.abortUpload({ ...(await this.name(key)), uploadId });
    }
    this.uploads.clear();
  }

  #idOf(versionId: string | undefined): string {
    const { versioning } = this.model;
    if (versioning === undefined) assert.equal(versionId, undefined);
    if (versioning === "Enabled") assert.match(versionId ?? "", /^[0-9a-f]{16}$/);
    return versionId ?? "null";
  }
}

export async function bytesOf({ info, read }: OpenObject): Promise<Buffer> {
  const content = read(0, info.sizeBytes);
  if (content instanceof Uint8Array) return Buffer.from(content);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function refused(doing: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(doing, (cause) => cause instanceof S3Error && cause.code === code);
}

function bodyOf(bytes: Uint8Array) {
  return {
    sizeBytes: bytes.length,
    chunks: (async function* chunks() {
      if (bytes.length > 0) yield bytes;
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
}
