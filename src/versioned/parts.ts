import { assert } from "#base/assert.ts";
import { type ChecksumAlgorithm, digestOf, hasher } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import type { PartInfo, PartSource, UploadInfo, UploadName } from "#object/engine.ts";
import type { PartNumber } from "#object/name.ts";
import { DEFAULT_ALGORITHM, requirePartAlgorithm } from "#object/part-checksums.ts";
import { copiedSlice, type Slice } from "#object/range.ts";
import type { Room } from "#object/usage.ts";
import { etagDigits, type Lock } from "#versioned/encryption.ts";
import { partKey, referenceKey } from "#versioned/keys.ts";
import { garbageWrite } from "#versioned/plan.ts";
import { contentOf, receive } from "#versioned/receive.ts";
import { type Extent, type PartRecord, packJson, unpackJson } from "#versioned/record.ts";
import {
  resealedExtents,
  type Source,
  sourceBody,
  sourceGuard,
  withSource,
} from "#versioned/source.ts";
import { commitDecision, extentsOf, keepingNoOrphan, type Stores } from "#versioned/store.ts";
import { addParts, findUpload, partInfo, uploadLock } from "#versioned/uploads.ts";
import { addUsage, requireRoom } from "#versioned/usage.ts";
import type { Beside } from "#versioned/write.ts";

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
  const upload = await findUpload(stores, name);
  const { info } = upload;
  const lock = uploadLock(stores, upload, source.key);
  const encryption = lock?.record.kind;
  const { storageClass } = info.attributes;
  const { room } = source;
  if ("body" in source) {
    const { sizeBytes } = source.body;
    requirePartAlgorithm(info, source.body.algorithm);
    // Of what was declared, else of what was sent.
    const shown = info.algorithm ?? source.body.algorithm;
    await requireRoom(stores.meta, name.bucket, { storageClass, sizeBytes, room });
    const made = await sentPart(stores, { info, lock }, source.body);
    return { ...(await commitMade(stores, name, { part, made, shown, room })), encryption };
  }
  const ask = { name: source.source, conditions: source.conditions, key: source.sourceKey };
  return await withSource(stores, ask, async (from) =>
    copyPart(stores, name, { part, source, upload: { info, lock }, from }),
  );
}

interface CopyPart {
  readonly part: PartNumber;
  readonly source: CopySource;
  readonly upload: OpenUpload;
  readonly from: Source;
}

async function copyPart(
  stores: Stores,
  name: UploadName,
  { part, source, upload, from }: CopyPart,
): Promise<PartInfo> {
  const { info, lock } = upload;
  const { storageClass } = info.attributes;
  const { room } = source;
  const range = copiedRange(source.range, from.found.record.sizeBytes);
  const sizeBytes = range.to - range.from;
  await requireRoom(stores.meta, name.bucket, { storageClass, sizeBytes, room });
  const beside = async () => await sourceGuard(stores, from);
  const inClear = lock === undefined;
  const shares =
    from.found.record.content.kind !== "inline" && (from.lock === undefined) === inClear;
  const shown = shares
    ? await commitPart(stores, name, {
        part,
        made: await sharedPart(stores, upload, { from, range }),
        shown: info.algorithm,
        room,
        beside,
      })
    : await commitMade(stores, name, {
        part,
        made: await sentPart(stores, upload, sourceBody(stores, from, range)),
        shown: info.algorithm,
        room,
        beside,
      });
  return { ...shown, sourceVersionId: from.found.versionId, encryption: lock?.record.kind };
}

/** An upload, unlocked with the key that came with the request. */
interface OpenUpload {
  readonly info: UploadInfo;
  readonly lock: Lock | undefined;
}

async function sentPart(stores: Stores, { info, lock }: OpenUpload, body: Body): Promise<NewPart> {
  const wanted = info.algorithm ?? DEFAULT_ALGORITHM;
  const algorithms = new Set([wanted, body.algorithm ?? wanted]);
  const received = await receive(body, stores.blobs, {
    inlineBytesMax: -1,
    algorithms: [...algorithms],
    lock,
  });
  const { md5, sizeBytes, checksums } = received;
  const content = contentOf(received);
  assert(content.kind === "extents", "a part is never inline");
  return { sizeBytes, md5, checksums, extents: content.extents };
}

/** A slice of the source's extents; its bytes are read only when a digest of them is needed. */
async function sharedPart(
  stores: Stores,
  { info, lock }: OpenUpload,
  { from: source, range }: { readonly from: Source; readonly range: Slice },
): Promise<NewPart> {
  const { record } = source.found;
  const { from, to } = range;
  const slices = sliceExtents(await extentsOf(stores, record.content), from, to);
  const extents = resealedExtents(slices, source.lock, lock);
  const sizeBytes = to - from;
  const whole = from === 0 && to === record.sizeBytes && record.partsCount === 0;
  const known = whole ? record.checksum : undefined;
  if (info.algorithm === undefined || info.algorithm === known?.algorithm) {
    const checksums = known === undefined ? {} : { [known.algorithm]: known.value };
    const md5 = whole ? Buffer.from(record.md5, "hex") : sliceTag(slices);
    return { sizeBytes, md5: etagDigits(md5, lock), checksums, extents };
  }
  const body = sourceBody(stores, source, range);
  const digests = await digestBody(body, info.algorithm);
  const { md5, checksum } = digests;
  return {
    sizeBytes,
    md5: etagDigits(md5, lock),
    checksums: { [info.algorithm]: checksum.toString("base64") },
    extents,
  };
}

/** Fails: InvalidArgument, InvalidRequest (over 5 GiB, too). */
function copiedRange(range: CopySource["range"], sizeBytes: number): Slice {
  const slice = copiedSlice(range, sizeBytes);
  if (slice.to - slice.from <= PART_BYTES_MAX) return slice;
  const message = `The specified copy source is larger than the maximum allowable size for a copy source: ${PART_BYTES_MAX}`;
  throw new S3Error("InvalidRequest", {}, { message });
}

function sliceExtents(extents: readonly Extent[], from: number, to: number): Extent[] {
  const slices: Extent[] = [];
  let start = 0;
  for (const extent of extents) {
    const first = Math.max(from, start);
    const end = Math.min(to, start + extent.sizeBytes);
    if (first < end) {
      const whole = end - first === extent.sizeBytes;
      const { crc32: _, ...rest } = extent;
      const offset = extent.offset + first - start;
      slices.push(whole ? extent : { ...rest, offset, sizeBytes: end - first });
    }
    start += extent.sizeBytes;
  }
  return slices;
}

/**
 * Differs: the ETag of a copied slice names the bytes without reading them; AWS answers their MD5.
 * A client that wants a digest creates the upload with a checksum algorithm.
 */
function sliceTag(extents: readonly Extent[]): Buffer {
  return digestOf("MD5", Buffer.from(JSON.stringify(extents)));
}

async function digestBody(body: Body, algorithm: ChecksumAlgorithm) {
  const md5 = hasher("MD5");
  const other = hasher(algorithm);
  for await (const chunk of body.chunks) {
    md5.update(chunk);
    other.update(chunk);
  }
  return { md5: md5.digest(), checksum: other.digest() };
}

interface CommitPart {
  readonly part: PartNumber;
  readonly made: NewPart;
  /** The algorithm whose digest the answer carries. */
  readonly shown: ChecksumAlgorithm | undefined;
  readonly room: Room | undefined;
  readonly beside?: () => Promise<Beside>;
}

/** Of a part whose blobs nobody else holds. */
async function commitMade(stores: Stores, name: UploadName, commit: CommitPart): Promise<PartInfo> {
  const blobs = commit.made.extents.map(({ blob }) => blob);
  return await keepingNoOrphan(stores, blobs, async () => commitPart(stores, name, commit));
}

async function commitPart(
  stores: Stores,
  name: UploadName,
  { part, made, shown, room, beside }: CommitPart,
): Promise<PartInfo> {
  const { bucket, uploadId } = name;
  const key = partKey(uploadId, part);
  const { outcome } = await commitDecision(stores, bucket, async (attempt) => {
    const { guard, info } = await findUpload(stores, name);
    const { storageClass } = info.attributes;
    const { sizeBytes } = made;
    if (attempt > 0) await requireRoom(stores.meta, bucket, { storageClass, sizeBytes, room });
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
        adds: [
          addParts(uploadId, grown),
          ...addUsage(bucket, [{ storageClass, partBytes: grown }], room),
        ],
      },
      outcome: partInfo(record, shown),
    };
  });
  return outcome;
}
