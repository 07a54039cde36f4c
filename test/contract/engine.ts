/** What every engine promises, whatever holds its objects. Keys are such as all of them can hold. */
import type { TestContext } from "node:test";
import type { ObjectInfo } from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import type { Bucket } from "#object/bucket.ts";
import type {
  CompleteInput,
  CopyInput,
  CopyOutcome,
  Engine,
  ListAsk,
  PartInfo,
  PutInput,
  Renamed,
  RenameInput,
  UploadInfo,
  UploadInput,
} from "#object/engine.ts";
import { objectKey, partNumber } from "#object/name.ts";

/** An engine and an empty bucket of it. */
export interface Subject {
  readonly engine: Engine;
  readonly bucket: Bucket;
}

/** Says how an engine is opened; it goes with the test. */
export type OpenSubject = (t: TestContext) => Promise<Subject>;

export const NOTHING_SAID = {
  headers: {},
  userMetadata: {},
  tags: [],
  storageClass: "STANDARD",
} as const;

/** A body that is all here. */
export function bodyOf(
  content: string | Uint8Array,
  said: Partial<Omit<Body, "chunks" | "sizeBytes">> = {},
): Body {
  const bytes = Buffer.from(content);
  return {
    sizeBytes: bytes.length,
    chunks: (async function* chunks() {
      // In pieces, as they come from a socket.
      for (let at = 0; at < bytes.length; at += 60_000) yield bytes.subarray(at, at + 60_000);
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
    ...said,
  };
}

/** The few words in which the laws are told. */
export class Words {
  readonly #engine: Engine;
  readonly #bucket: Bucket;

  constructor({ engine, bucket }: Subject) {
    this.#engine = engine;
    this.#bucket = bucket;
  }

  name(key: string) {
    return { bucket: this.#bucket, key: objectKey(key) };
  }

  async put(
    key: string,
    content: string | Uint8Array | Body,
    input: Partial<Omit<PutInput, "body">> = {},
  ): Promise<ObjectInfo> {
    const isBytes = typeof content === "string" || content instanceof Uint8Array;
    const body = isBytes ? bodyOf(content) : content;
    const said = { attributes: NOTHING_SAID, conditions: {}, ...input };
    return await this.#engine.put(this.name(key), { body, ...said });
  }

  async head(key: string): Promise<ObjectInfo> {
    return await this.#engine.head(this.name(key));
  }

  async open(key: string) {
    return await this.#engine.get(this.name(key));
  }

  async bytes(key: string, from = 0, to = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const { info, read } = await this.open(key);
    return await collect(read(from, Math.min(to, info.sizeBytes)));
  }

  async text(key: string): Promise<string> {
    return (await this.bytes(key)).toString();
  }

  async delete(key: string, ifMatch?: string): Promise<void> {
    await this.#engine.delete(this.name(key), ifMatch === undefined ? {} : { ifMatch });
  }

  async copy(from: string, to: string, input: Partial<CopyInput> = {}): Promise<CopyOutcome> {
    return await this.#engine.copy(this.name(to), {
      source: this.name(from),
      ...{ sourceConditions: {}, conditions: {}, algorithm: undefined },
      attributes: { metadata: undefined, tags: undefined, storageClass: undefined },
      ...input,
    });
  }

  async rename(from: string, to: string, input: Partial<RenameInput> = {}): Promise<Renamed> {
    return await this.#engine.rename(this.name(to), {
      source: objectKey(from),
      ...{ sourceConditions: {}, conditions: {}, token: undefined },
      ...input,
    });
  }

  async list(ask: Partial<ListAsk> = {}) {
    const whole = { prefix: "", delimiter: "", after: "", limit: 1_000 };
    return await this.#engine.list(this.#bucket, { ...whole, ...ask });
  }

  async keys(): Promise<string[]> {
    return (await this.list()).objects.map(({ key }) => key);
  }

  async create(key: string, input: Partial<UploadInput> = {}): Promise<UploadInfo> {
    const said = { attributes: NOTHING_SAID, algorithm: undefined, checksumType: undefined };
    return await this.#engine.createUpload(this.name(key), { ...said, ...input });
  }

  async part(
    upload: UploadInfo,
    number: number,
    content: string | Uint8Array | Body,
  ): Promise<PartInfo> {
    const isBytes = typeof content === "string" || content instanceof Uint8Array;
    const body = isBytes ? bodyOf(content) : content;
    return await this.#engine.putPart(this.upload(upload), partNumber(String(number)), { body });
  }

  async partOf(
    upload: UploadInfo,
    number: number,
    { from, range }: { from: string; range?: { first: number; last: number } },
  ): Promise<PartInfo> {
    const source = { source: this.name(from), conditions: {}, range };
    return await this.#engine.putPart(this.upload(upload), partNumber(String(number)), source);
  }

  async complete(
    upload: UploadInfo,
    parts: readonly (Pick<PartInfo, "number" | "etag"> & Partial<Pick<PartInfo, "checksum">>)[],
    input: Partial<Omit<CompleteInput, "parts">> = {},
  ): Promise<ObjectInfo> {
    return await this.#engine.completeUpload(this.upload(upload), {
      parts: parts.map(({ number, etag, checksum }) => ({
        ...{ number: partNumber(String(number)), etag },
        checksums:
          checksum !== undefined && checksum.algorithm === upload.algorithm
            ? { [checksum.algorithm]: checksum.value }
            : {},
      })),
      ...{ conditions: {}, checksum: undefined, checksumType: undefined, sizeBytes: undefined },
      ...input,
    });
  }

  async abort(upload: UploadInfo): Promise<void> {
    await this.#engine.abortUpload(this.upload(upload));
  }

  async parts(upload: UploadInfo, afterNumber = 0, limit = 1_000) {
    return await this.#engine.listParts(this.upload(upload), { afterNumber, limit });
  }

  async uploads(prefix = "", limit = 1_000) {
    const ask = { prefix, delimiter: "", afterKey: "", afterUploadId: undefined, limit };
    return await this.#engine.listUploads(this.#bucket, ask);
  }

  upload({ key, uploadId }: UploadInfo) {
    return { ...this.name(key), uploadId };
  }
}

/** The bytes of an answer, each chunk taken while it is valid. */
export async function collect(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
  if (content instanceof Uint8Array) return Buffer.from(content);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
