import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { randomHex } from "#base/random.ts";
import type { BlobStore, BlobWriter, FinishedBlob } from "#blob/store.ts";
import type { Body } from "#object/body.ts";
import { BodyDigests, checksumTexts, type Digests, wholeDigests } from "#object/digests.ts";
import { etagDigits, type Lock, type Seal, sealOf } from "#versioned/encryption.ts";
import { ID_BYTES } from "#versioned/keys.ts";
import type { Content } from "#versioned/record.ts";
import { newContentKey, Sealer, sealWhole } from "#versioned/sealed-chunks.ts";

/** A body that was read to its end and found to be what its client said. */
export interface Received {
  readonly sizeBytes: number;
  /** Of the ETag: something else under SSE-C, as etagDigits says. */
  readonly md5: string;
  /** Base64, by algorithm; of the bytes in the clear. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  /** Exactly one of the two is there, sealed when `seal` is there. */
  readonly inline: Buffer | undefined;
  readonly blob: FinishedBlob | undefined;
  readonly seal: Seal | undefined;
}

export interface ReceiveOptions {
  /** Bodies up to this size stay in memory and become part of a record; -1: none does. */
  readonly inlineBytesMax: number;
  readonly algorithms: readonly ChecksumAlgorithm[];
  /** What is stored is encrypted under it. */
  readonly lock: Lock | undefined;
}

/**
 * Reads a body once, computing every digest on the way, into memory when it is small and into a
 * durable blob when it is not.
 * Fails: BadDigest, XAmzContentSHA256Mismatch (nothing is kept), and as the body and the store fail.
 */
export async function receive(
  body: Body,
  blobs: BlobStore,
  options: ReceiveOptions,
): Promise<Received> {
  return body.sizeBytes <= options.inlineBytesMax
    ? await receiveInline(body, options)
    : await receiveBlob(body, blobs, options);
}

async function receiveInline(body: Body, options: ReceiveOptions): Promise<Received> {
  const { lock } = options;
  const bytes = await collect(body);
  const digests = await wholeDigests(body, bytes, options.algorithms);
  const described = descriptionOf(bytes.length, digests, lock);
  if (lock === undefined) return { ...described, inline: bytes, blob: undefined, seal: undefined };
  const key = newContentKey(bytes.length);
  const inline = sealWhole(bytes, key);
  return { ...described, inline, blob: undefined, seal: sealOf(key, lock) };
}

async function collect(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) {
    return asBuffer(only);
  }
  return Buffer.concat(chunks);
}

async function receiveBlob(
  body: Body,
  blobs: BlobStore,
  options: ReceiveOptions,
): Promise<Received> {
  const { lock } = options;
  await using writer: BlobWriter = await blobs.create();
  const key = lock && newContentKey(body.sizeBytes);
  const sealer = key && new Sealer(key);
  const running = new BodyDigests(body, options.algorithms);
  const how = { stays: sealer === undefined && body.chunksStay === true };
  let sizeBytes = 0;
  for await (const chunk of body.chunks) {
    sizeBytes += chunk.length;
    await Promise.all([running.update(chunk), store(sealer?.update(chunk) ?? [chunk])]);
  }
  // The first chunk vouched for the size already: what is short of it is filled up, and no extent reads that.
  await store(sealer?.update(Buffer.alloc(body.sizeBytes - sizeBytes)) ?? []);
  await store(sealer?.finish() ?? []);
  const digests = running.finish();
  return {
    ...descriptionOf(sizeBytes, digests, lock),
    inline: undefined,
    blob: await writer.finish(),
    seal: lock && key && sealOf(key, lock),
  };

  async function store(chunks: Iterable<Uint8Array>): Promise<void> {
    for (const chunk of chunks) await writer.write(chunk, how);
  }
}

function descriptionOf(sizeBytes: number, digests: Digests, lock: Lock | undefined) {
  return {
    sizeBytes,
    md5: etagDigits(digests.md5, lock),
    checksums: checksumTexts(digests),
  };
}

/** What was received, as a content under an id of its own. */
export function contentOf({ inline, blob, sizeBytes, seal }: Received): Content {
  const sealed = seal === undefined ? {} : { seal };
  if (inline !== undefined) return { kind: "inline", ...sealed };
  assert(blob !== undefined, "what is not inline is a blob");
  const isWhole = seal === undefined || seal.sizeBytes === sizeBytes;
  const sum = isWhole ? { crc32: blob.crc32 } : {};
  const extent = { blob: blob.id, offset: 0, sizeBytes, ...sum, ...sealed };
  return { kind: "extents", id: randomHex(ID_BYTES), extents: [extent] };
}
