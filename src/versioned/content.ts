import { asBuffer } from "#base/bytes.ts";
import { type ChecksumAlgorithm, digestOf, type Hasher, hasher } from "#base/checksum.ts";
import { S3Error, StorageError } from "#base/error.ts";
import type { BlobId, BlobStore, BlobWriter } from "#blob/store.ts";
import type { Body } from "#object/body.ts";
import type { Extent } from "#versioned/record.ts";

/** A body that was read to its end and found to be what its client said. */
export interface Received {
  readonly sizeBytes: number;
  readonly md5: string;
  /** Base64, by algorithm. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  /** Exactly one of the two is there. */
  readonly inline: Buffer | undefined;
  readonly blob: { readonly id: BlobId; readonly crc32: number } | undefined;
}

export interface ReceiveOptions {
  /** Bodies up to this size stay in memory and become part of a record; -1: none does. */
  readonly inlineBytesMax: number;
  readonly algorithms: readonly ChecksumAlgorithm[];
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

async function receiveInline(body: Body, { algorithms }: ReceiveOptions): Promise<Received> {
  const inline = await collect(body);
  const digests: Digests = {
    md5: digestOf("MD5", inline),
    sha256: body.hasSha256 ? digestOf("SHA256", inline) : undefined,
    checksums: algorithms.map((algorithm) => [algorithm, digestOf(algorithm, inline)]),
  };
  verify(body, digests);
  return { ...described(body, digests), inline, blob: undefined };
}

async function collect(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) {
    return asBuffer(only);
  }
  return Buffer.concat(chunks, body.sizeBytes);
}

async function receiveBlob(
  body: Body,
  blobs: BlobStore,
  { algorithms }: ReceiveOptions,
): Promise<Received> {
  await using writer: BlobWriter = await blobs.create();
  const md5 = hasher("MD5");
  const crc32 = hasher("CRC32");
  const sha256 = body.hasSha256 ? hasher("SHA256") : undefined;
  const others = algorithms.map((algorithm): [ChecksumAlgorithm, Hasher] => [
    algorithm,
    algorithm === "CRC32" ? crc32 : hasher(algorithm),
  ]);
  const all = new Set([
    md5,
    crc32,
    ...(sha256 === undefined ? [] : [sha256]),
    ...others.map(([, h]) => h),
  ]);
  for await (const chunk of body.chunks) {
    for (const each of all) each.update(chunk);
    await writer.write(chunk);
  }
  const crc = crc32.digest();
  const digests: Digests = {
    md5: md5.digest(),
    sha256: sha256?.digest(),
    checksums: others.map(([algorithm, each]) => [
      algorithm,
      algorithm === "CRC32" ? crc : each.digest(),
    ]),
  };
  verify(body, digests);
  const id = await writer.finish();
  return {
    ...described(body, digests),
    inline: undefined,
    blob: { id, crc32: crc.readUInt32BE(0) },
  };
}

interface Digests {
  readonly md5: Buffer;
  readonly sha256: Buffer | undefined;
  readonly checksums: readonly (readonly [ChecksumAlgorithm, Buffer])[];
}

function verify(body: Body, { md5, sha256, checksums }: Digests): void {
  const claims = body.claims();
  if (claims.md5 !== undefined && !claims.md5.equals(md5)) {
    throw new S3Error(
      "BadDigest",
      {},
      { message: "The Content-MD5 you specified did not match what we received." },
    );
  }
  if (claims.sha256 !== undefined && sha256 !== undefined && !claims.sha256.equals(sha256)) {
    throw new S3Error("XAmzContentSHA256Mismatch", {
      ClientComputedContentSHA256: claims.sha256.toString("hex"),
      S3ComputedContentSHA256: sha256.toString("hex"),
    });
  }
  const computed = checksums.find(([algorithm]) => algorithm === body.algorithm)?.[1];
  if (claims.checksum !== undefined && computed?.equals(claims.checksum) !== true) {
    const message = `The ${body.algorithm} you specified did not match the calculated checksum.`;
    throw new S3Error("BadDigest", {}, { message });
  }
}

function described(body: Body, { md5, checksums }: Digests) {
  return {
    sizeBytes: body.sizeBytes,
    md5: md5.toString("hex"),
    checksums: Object.fromEntries(
      checksums.map(([algorithm, digest]) => [algorithm, digest.toString("base64")]),
    ),
  };
}

/**
 * The bytes `from <= i < to` of a run of extents.
 * Fails: StorageError "corrupt" before the last chunk of a blob that is read whole and is not what
 * was written.
 */
export async function* readExtents(
  blobs: BlobStore,
  extents: readonly Extent[],
  range: { readonly from: number; readonly to: number },
): AsyncIterable<Uint8Array> {
  let start = 0;
  for (const extent of extents) {
    const from = Math.max(range.from, start);
    const to = Math.min(range.to, start + extent.sizeBytes);
    if (from < to) {
      const slice = { from: extent.offset + from - start, to: extent.offset + to - start };
      const whole = to - from === extent.sizeBytes;
      const chunks = blobs.read(extent.blob, slice);
      yield* whole && extent.crc32 !== undefined ? verified(chunks, extent) : chunks;
    }
    start += extent.sizeBytes;
    if (start >= range.to) return;
  }
}

/** Checks the sum before the last chunk goes out, so that wrong bytes never make a whole answer. */
async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  extent: Extent,
): AsyncIterable<Uint8Array> {
  const crc = hasher("CRC32");
  let left = extent.sizeBytes;
  for await (const chunk of chunks) {
    crc.update(chunk);
    left -= chunk.length;
    if (left === 0 && crc.digest().readUInt32BE(0) !== extent.crc32) throw corrupt(extent.blob);
    yield chunk;
  }
}

function corrupt(blob: BlobId): StorageError {
  return new StorageError("corrupt", `blob ${blob} is not what was written: its CRC32 differs`);
}
