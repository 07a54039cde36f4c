import { type ChecksumAlgorithm, digestOf, hasher } from "#base/checksum.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import { requireConditions } from "#object/conditions.ts";
import type { PartInfo, PartSource, UploadInfo, UploadName } from "#object/engine.ts";
import type { PartNumber } from "#object/name.ts";
import { readExtents, receive } from "#versioned/content.ts";
import { COPY_SOURCE_NAMES, sourceGuard } from "#versioned/copy.ts";
import { etagOf } from "#versioned/head.ts";
import { partKey, referenceKey } from "#versioned/keys.ts";
import { garbageWrite } from "#versioned/plan.ts";
import { type Extent, type PartRecord, packJson, unpackJson } from "#versioned/record.ts";
import {
  commitDecision,
  extentsOf,
  type FoundVersion,
  findVersion,
  keepingNoOrphan,
  type Stores,
} from "#versioned/store.ts";
import { addParts, findUpload, partInfo } from "#versioned/uploads.ts";
import { addUsage } from "#versioned/usage.ts";
import type { Beside } from "#versioned/write.ts";

const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";
const PART_BYTES_MAX = 5 * 2 ** 30;

interface PutPart {
  readonly part: PartNumber;
  readonly source: PartSource;
}

type CopySource = Exclude<PartSource, { readonly body: Body }>;
type NewPart = Omit<PartRecord, "number" | "modifiedMs">;

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export async function putPart(
  stores: Stores,
  name: UploadName,
  { part, source }: PutPart,
): Promise<PartInfo> {
  const { info } = await findUpload(stores, name);
  if ("body" in source) {
    const made = await sentPart(stores, info, source.body);
    const blobs = made.extents.map(({ blob }) => blob);
    return await keepingNoOrphan(stores, blobs, async () =>
      commitPart(stores, name, { part, made, shown: source.body.algorithm }),
    );
  }
  const found = await findVersion(stores, source.source);
  const validators = { etag: etagOf(found.record), modifiedMs: found.record.modifiedMs };
  requireConditions(source.conditions, validators, COPY_SOURCE_NAMES);
  const made = await copiedPart(stores, info, { found, range: source.range });
  const beside = async () => await sourceGuard(stores, source.source, found);
  const shown = await commitPart(stores, name, { part, made, shown: info.algorithm, beside });
  return { ...shown, sourceVersionId: found.versionId };
}

async function sentPart(stores: Stores, upload: UploadInfo, body: Body): Promise<NewPart> {
  requireAlgorithm(upload, body.algorithm);
  const wanted = upload.algorithm ?? DEFAULT_ALGORITHM;
  const algorithms = new Set([wanted, body.algorithm ?? wanted]);
  const received = await receive(body, stores.blobs, {
    inlineBytesMax: -1,
    algorithms: [...algorithms],
  });
  const { md5, sizeBytes, checksums, blob } = received;
  const extents =
    blob === undefined ? [] : [{ blob: blob.id, offset: 0, sizeBytes, crc32: blob.crc32 }];
  return { sizeBytes, md5, checksums, extents };
}

function requireAlgorithm(upload: UploadInfo, sent: ChecksumAlgorithm | undefined): void {
  if (upload.algorithm === undefined || sent === undefined || upload.algorithm === sent) return;
  const message = `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm.toLowerCase()}, actual checksum Type: ${sent.toLowerCase()}`;
  throw new S3Error("InvalidRequest", {}, { message });
}

/** A slice of the source's extents; its bytes are read only when a digest of them is needed. */
async function copiedPart(
  stores: Stores,
  upload: UploadInfo,
  { found, range }: { readonly found: FoundVersion; readonly range: CopySource["range"] },
): Promise<NewPart> {
  const { record } = found;
  const { from, to } = copiedRange(range, record.sizeBytes);
  const whole = from === 0 && to === record.sizeBytes && record.partsCount === 0;
  if (record.content.kind === "inline") {
    return await sentPart(stores, upload, bodyOf(found.inline.subarray(from, to)));
  }
  const extents = sliceExtents(await extentsOf(stores, record.content), from, to);
  const sizeBytes = to - from;
  const known = whole && record.checksum !== undefined ? record.checksum : undefined;
  if (upload.algorithm === undefined || upload.algorithm === known?.algorithm) {
    const checksums = known === undefined ? {} : { [known.algorithm]: known.value };
    return { sizeBytes, md5: whole ? record.md5 : sliceTag(extents), checksums, extents };
  }
  const digests = await digestExtents(stores, extents, { sizeBytes, algorithm: upload.algorithm });
  return { sizeBytes, ...digests, extents };
}

/** Fails: InvalidRange, InvalidRequest (over 5 GiB). */
function copiedRange(range: CopySource["range"], sizeBytes: number) {
  const from = range?.first ?? 0;
  const to = range === undefined ? sizeBytes : range.last + 1;
  if (range !== undefined && to > sizeBytes) {
    const text = `bytes=${range.first}-${range.last}`;
    throw invalidArgument(
      "x-amz-copy-source-range",
      text,
      `Range specified is not valid for source object of size: ${sizeBytes}`,
    );
  }
  if (to - from > PART_BYTES_MAX) {
    const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${PART_BYTES_MAX}`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return { from, to };
}

function sliceExtents(extents: readonly Extent[], from: number, to: number): Extent[] {
  const slices: Extent[] = [];
  let start = 0;
  for (const extent of extents) {
    const first = Math.max(from, start);
    const end = Math.min(to, start + extent.sizeBytes);
    if (first < end) {
      const whole = end - first === extent.sizeBytes;
      const slice = {
        blob: extent.blob,
        offset: extent.offset + first - start,
        sizeBytes: end - first,
      };
      slices.push(whole ? extent : slice);
    }
    start += extent.sizeBytes;
  }
  return slices;
}

/**
 * Differs: the ETag of a copied slice names the bytes without reading them; AWS answers their MD5.
 * A client that wants a digest creates the upload with a checksum algorithm.
 */
function sliceTag(extents: readonly Extent[]): string {
  return digestOf("MD5", Buffer.from(JSON.stringify(extents))).toString("hex");
}

async function digestExtents(
  stores: Stores,
  extents: readonly Extent[],
  { sizeBytes, algorithm }: { readonly sizeBytes: number; readonly algorithm: ChecksumAlgorithm },
): Promise<Pick<NewPart, "md5" | "checksums">> {
  const md5 = hasher("MD5");
  const other = hasher(algorithm);
  for await (const chunk of readExtents(stores.blobs, extents, { from: 0, to: sizeBytes })) {
    md5.update(chunk);
    other.update(chunk);
  }
  return {
    md5: md5.digest().toString("hex"),
    checksums: { [algorithm]: other.digest().toString("base64") },
  };
}

function bodyOf(bytes: Uint8Array): Body {
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

interface CommitPart {
  readonly part: PartNumber;
  readonly made: NewPart;
  /** The algorithm whose digest the answer carries. */
  readonly shown: ChecksumAlgorithm | undefined;
  readonly beside?: () => Promise<Beside>;
}

async function commitPart(
  stores: Stores,
  name: UploadName,
  { part, made, shown, beside }: CommitPart,
): Promise<PartInfo> {
  const { bucket, uploadId } = name;
  const key = partKey(uploadId, part);
  const { outcome } = await commitDecision(stores, bucket, async () => {
    const { guard } = await findUpload(stores, name);
    const extra = await beside?.();
    const old = await stores.meta.get(key);
    const replaced = old === undefined ? undefined : unpackJson<PartRecord>(old.value);
    const record = { ...made, number: part, modifiedMs: stores.clock.now() };
    const blobs = new Set(made.extents.map(({ blob }) => blob));
    const gone = replaced?.extents.map(({ blob }) => blob).filter((blob) => !blobs.has(blob)) ?? [];
    const garbage = { contentId: uploadId, blobs: gone, unlessHeld: true } as const;
    const grown = record.sizeBytes - (replaced?.sizeBytes ?? 0);
    return {
      change: {
        guards: [
          bucket.guard,
          guard,
          { key, revision: old?.revision ?? 0 },
          ...(extra?.guards ?? []),
        ],
        writes: [
          { key, value: packJson(record) },
          ...[...blobs].map((blob) => ({
            key: referenceKey(blob, uploadId),
            value: Buffer.alloc(0),
          })),
          ...(gone.length > 0 ? [garbageWrite(garbage, stores.clock.now())] : []),
        ],
        adds: [addParts(uploadId, grown), addUsage(bucket.id, { partBytes: grown })],
      },
      outcome: partInfo(record, shown),
    };
  });
  return outcome;
}
