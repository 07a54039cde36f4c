import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { S3Error } from "#base/error.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import type { Body } from "#object/body.ts";
import type { Bucket } from "#object/bucket.ts";
import type {
  CompleteInput,
  Engine,
  ListAsk,
  ListedObject,
  OpenObject,
  PartInfo,
  UploadInfo,
} from "#object/engine.ts";
import { bucketName, objectKey, partNumber } from "#object/name.ts";
import { VolumeEngine } from "#volume/engine.ts";
import { Volume, type VolumeOptions } from "#volume/volume.ts";

/** A volume over a directory of its own, and the few words that tests say to it. */
export interface TestVolume {
  readonly root: string;
  readonly volume: Volume;
  readonly engine: Engine;
  readonly bucket: Bucket;
  readonly put: (
    key: string,
    body: string | Uint8Array,
    conditions?: Conditions,
  ) => Promise<ObjectInfo>;
  readonly text: (key: string) => Promise<string>;
  readonly head: (key: string) => Promise<ObjectInfo>;
  readonly delete: (key: string) => Promise<void>;
  /** Keys and common prefixes of one page. */
  readonly list: (ask?: Partial<ListAsk>) => Promise<string[]>;
  /** All objects, page after page. */
  readonly all: (ask?: Partial<ListAsk>) => Promise<ListedObject[]>;
}

type Conditions = { readonly ifMatch?: string; readonly ifNoneMatch?: "*" };

export const NOTHING_SAID = {
  headers: {},
  userMetadata: {},
  tags: [],
  storageClass: "STANDARD",
} as const;

/** On the disk of the system's temporary directory. It goes with the test. */
export async function newRoot(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "lode-volume-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

export async function openVolume(
  t: TestContext,
  options: Partial<VolumeOptions> = {},
): Promise<TestVolume> {
  const root = options.root ?? (await newRoot(t));
  const volume = await Volume.open({ ...options, root });
  t.after(async () => await volume[Symbol.asyncDispose]());
  return words(root, volume);
}

/** The words over a volume that is open. */
export function words(root: string, volume: Volume): TestVolume {
  const engine = new VolumeEngine(async () => volume);
  const bucket = BUCKET;
  const name = (key: string) => ({ bucket, key: objectKey(key) });
  const page = async (ask: Partial<ListAsk>) =>
    await engine.list(bucket, { prefix: "", delimiter: "", after: "", limit: 1_000, ...ask });
  return {
    ...{ root, volume, engine, bucket },
    put: async (key, body, conditions = {}) => {
      const input = { body: bodyOf(body), attributes: NOTHING_SAID, conditions };
      return await engine.put(name(key), input);
    },
    text: async (key) => (await bytesOf(await engine.get(name(key)))).toString(),
    head: async (key) => await engine.head(name(key)),
    delete: async (key) => {
      await engine.delete(name(key), {});
    },
    list: async (ask = {}) => {
      const { objects, prefixes } = await page(ask);
      return [...objects.map(({ key }) => key), ...prefixes];
    },
    all: async (ask = {}) => {
      const found: ListedObject[] = [];
      for (let after: string | undefined = ""; after !== undefined; ) {
        const { objects, next } = await page({ ...ask, after });
        found.push(...objects);
        after = next;
      }
      return found;
    },
  };
}

export const BUCKET: Bucket = {
  name: bucketName("vol0000001"),
  id: "0".repeat(16),
  organizationId: "organization",
  ownerId: "0".repeat(64),
  region: "local",
  createdMs: 0,
  versioning: undefined,
  guard: { key: new Uint8Array(), revision: 0 },
};

export function keyName(key: string) {
  return { bucket: BUCKET, key: objectKey(key) };
}

export function bodyOf(content: string | Uint8Array, claims: Partial<Claims> = {}): Body {
  const bytes = Buffer.from(content);
  return {
    sizeBytes: bytes.length,
    chunks: (async function* chunks() {
      if (bytes.length > 0) yield bytes;
    })(),
    algorithm: undefined,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined, ...claims }),
  };
}

type Claims = ReturnType<Body["claims"]>;

export async function bytesOf({ info, read }: OpenObject): Promise<Buffer> {
  const content = read(0, info.sizeBytes);
  if (content instanceof Uint8Array) return Buffer.from(content);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export async function refused(doing: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(doing, (cause) => {
    assert.ok(cause instanceof S3Error, String(cause));
    assert.equal(cause.code, code);
    return true;
  });
}

export async function createUpload({ engine }: TestVolume, key: string): Promise<UploadInfo> {
  const input = { attributes: NOTHING_SAID, algorithm: undefined, checksumType: undefined };
  return await engine.createUpload(keyName(key), input);
}

export async function putPart(
  { engine }: TestVolume,
  upload: UploadInfo,
  [number, body]: readonly [number: number, body: string | Uint8Array | Body],
): Promise<PartInfo> {
  const given = typeof body === "string" || body instanceof Uint8Array ? bodyOf(body) : body;
  const name = { ...keyName(upload.key), uploadId: upload.uploadId };
  return await engine.putPart(name, partNumber(String(number)), { body: given });
}

export async function complete(
  { engine }: TestVolume,
  upload: UploadInfo,
  {
    parts,
    ...input
  }: { readonly parts: readonly PartInfo[] } & Partial<Omit<CompleteInput, "parts">>,
): Promise<ObjectInfo> {
  return await engine.completeUpload(
    { ...keyName(upload.key), uploadId: upload.uploadId },
    {
      parts: parts.map(({ number, etag }) => ({
        number: partNumber(String(number)),
        etag,
        checksums: {},
      })),
      ...{ conditions: {}, checksum: undefined, checksumType: undefined, sizeBytes: undefined },
      ...input,
    },
  );
}
