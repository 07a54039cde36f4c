import { rm } from "node:fs/promises";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Body } from "#object/body.ts";
import { COPY_SOURCE_NAMES, requireConditions } from "#object/conditions.ts";
import type { PartInfo, UploadInfo } from "#object/engine.ts";
import type { PartNumber } from "#object/name.ts";
import { requirePartAlgorithm } from "#object/part-checksums.ts";
import { type CopiedRange, copiedSlice } from "#object/range.ts";
import { type Digested, receiveInto } from "#volume/new-file.ts";
import { readWhole } from "#volume/open-file.ts";
import { type PartRecord, partInfo, readPartRecord, writePartRecord } from "#volume/part-record.ts";
import { type Slot, takeSlot } from "#volume/part-slot.ts";
import { DEFAULT_ALGORITHM, tooLarge } from "#volume/put.ts";
import { openObject } from "#volume/read.ts";
import type { CopySource } from "#volume/source.ts";
import { findUpload, goneWith, uploadPath } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

interface PartName {
  readonly key: string;
  readonly uploadId: string;
  readonly number: PartNumber;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function putPart(volume: Volume, name: PartName, body: Body): Promise<PartInfo> {
  const upload = await findUpload(volume, name.key, name.uploadId);
  requirePartAlgorithm(upload, body.algorithm);
  // Of what was declared, else of what was sent.
  const shown = upload.algorithm ?? body.algorithm;
  return partInfo(await storePart(volume, name, { upload, body }), shown);
}

/**
 * Reads the bytes, since no file system lets Node share a piece of a file.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export async function copyPart(
  volume: Volume,
  name: PartName,
  source: CopySource & { readonly range: CopiedRange | undefined },
): Promise<PartInfo> {
  const upload = await findUpload(volume, name.key, name.uploadId);
  const opened = await openObject(source.volume, source.path);
  if (opened === undefined) throw new S3Error("NoSuchKey", { Key: source.path.key });
  await using read = opened;
  const { identity } = read.current;
  requireConditions(source.conditions, read.current, COPY_SOURCE_NAMES);
  const slice = copiedSlice(source.range, identity.sizeBytes);
  const body: Body = {
    sizeBytes: slice.to - slice.from,
    chunks: readWhole(read.file, identity, slice),
    algorithm: upload.algorithm,
    hasSha256: false,
    claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
  };
  return partInfo(await storePart(volume, name, { upload, body }), upload.algorithm);
}

async function storePart(
  volume: Volume,
  { uploadId, number }: PartName,
  { upload, body }: { readonly upload: UploadInfo; readonly body: Body },
): Promise<PartRecord> {
  const { sizeBytes } = body;
  if (sizeBytes > volume.limits.partBytesMax) throw tooLarge(volume.limits.partBytesMax);
  using room = await volume.usage.reserve(sizeBytes);
  const slot = await takeSlot(volume, { uploadId, number, sizeBytes });
  const wanted = upload.algorithm ?? DEFAULT_ALGORITHM;
  const algorithms = [wanted, body.algorithm ?? wanted];
  const digested = await receiveSynced(slot, body, algorithms);
  const modifiedMs = volume.clock.now();
  const record = { number, sizeBytes, ...digested, modifiedMs, place: slot.place };
  const replaced = await readPartRecord(volume, uploadId, number);
  try {
    await writePartRecord(volume, uploadId, record).catch((error) => goneWith(error, uploadId));
  } finally {
    // Whatever was said, the record may stand.
    await slot.keep();
  }
  await room.settle(sizeBytes - (await dropReplaced(volume, uploadId, replaced)));
  return record;
}

async function receiveSynced(
  slot: Slot,
  body: Body,
  algorithms: readonly ChecksumAlgorithm[],
): Promise<Digested> {
  try {
    const digested = await receiveInto(
      { file: slot.file, at: slot.place.offset },
      body,
      algorithms,
    );
    await slot.file.datasync();
    return digested;
  } catch (error) {
    await slot.drop();
    throw error;
  }
}

/** The bytes that an earlier part of the number gave back. One in its place stays: it was given once. */
async function dropReplaced(
  volume: Volume,
  uploadId: string,
  replaced: PartRecord | undefined,
): Promise<number> {
  if (replaced?.place?.file.startsWith("apart-") !== true) return 0;
  await rm(uploadPath(volume, uploadId, replaced.place.file), { force: true });
  return replaced.sizeBytes;
}
