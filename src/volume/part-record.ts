import { readdir } from "node:fs/promises";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import { absent } from "#blob/system-error.ts";
import type { StoredPart } from "#object/assembly.ts";
import type { PartInfo, PartsAsk, PartsPage } from "#object/engine.ts";
import { readSmallIn } from "#volume/read-small.ts";
import { findUpload, PARTS, uploadPath } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";
import { replaceDurably } from "#volume/write-durably.ts";

/** Where the bytes of a part are: in a file of the upload, from an offset on. */
export interface PartPlace {
  readonly file: string;
  readonly offset: number;
}

/** A part that was received whole. */
export interface PartRecord extends StoredPart {
  readonly modifiedMs: number;
  /** undefined when there are no bytes. */
  readonly place: PartPlace | undefined;
}

const FORMAT = 1;
const READ_AT_ONCE = 64;

/** Replaces the record of an earlier part of that number. Fails: as rename(2). */
export async function writePartRecord(
  volume: Volume,
  uploadId: string,
  record: PartRecord,
): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...record });
  await replaceDurably(pathOf(volume, uploadId, record.number), text, volume.temporary());
  await using uploads = await volume.hidden.child("uploads");
  await using upload = await uploads.child(uploadId);
  await using parts = await upload.child(PARTS);
  await parts.sync();
}

export async function readPartRecord(
  volume: Volume,
  uploadId: string,
  number: number,
): Promise<PartRecord | undefined> {
  const text = await readSmallIn(volume.hidden, {
    directory: `uploads/${uploadId}/${PARTS}`,
    name: String(number),
  });
  if (text === undefined) return undefined;
  const { format, ...record }: PartRecord & { format: number } = JSON.parse(text);
  if (format === FORMAT) return record;
  throw new StorageError("corrupt", `part ${number} of upload ${uploadId} has another format`);
}

/** In order of their numbers, from after one of them on; at most so many. */
export async function readPartRecords(
  volume: Volume,
  uploadId: string,
  { afterNumber, limit }: PartsAsk,
): Promise<PartRecord[]> {
  const names = (await readdir(uploadPath(volume, uploadId, PARTS)).catch(absent)) ?? [];
  const numbers = names
    .map(Number)
    .filter((number) => number > afterNumber)
    .sort((a, b) => a - b)
    .slice(0, limit);
  const records: PartRecord[] = [];
  for (let at = 0; at < numbers.length; at += READ_AT_ONCE) {
    const some = numbers.slice(at, at + READ_AT_ONCE);
    const read = await Promise.all(some.map((number) => readPartRecord(volume, uploadId, number)));
    records.push(...read.filter((record) => record !== undefined));
  }
  return records;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export async function listParts(
  volume: Volume,
  upload: { readonly key: string; readonly uploadId: string },
  ask: PartsAsk,
): Promise<PartsPage> {
  const { key, uploadId } = upload;
  const info = await findUpload(volume, key, uploadId);
  const records = await readPartRecords(volume, uploadId, { ...ask, limit: ask.limit + 1 });
  return {
    upload: info,
    parts: records.slice(0, ask.limit).map((record) => partInfo(record, info.algorithm)),
    truncated: records.length > ask.limit,
  };
}

export function partInfo(
  { number, sizeBytes, md5, modifiedMs, checksums }: PartRecord,
  algorithm: ChecksumAlgorithm | undefined,
): PartInfo {
  const value = algorithm === undefined ? undefined : checksums[algorithm];
  const checksum =
    algorithm === undefined || value === undefined ? undefined : { algorithm, value };
  return { number, sizeBytes, etag: md5, modifiedMs, checksum };
}

function pathOf(volume: Volume, uploadId: string, number: number) {
  return uploadPath(volume, uploadId, `${PARTS}/${number}`);
}
