import { S3Error } from "#base/error.ts";
import { copiedMetadata, type Metadata, type ObjectInfo } from "#object/attributes.ts";
import { COPY_SOURCE_NAMES, requireConditions, requireForWrite } from "#object/conditions.ts";
import type { CopyInput, CopyOutcome } from "#object/engine.ts";
import { type Current, currentOf, infoOf } from "#volume/current.ts";
import { checksumOf, duplicate, knownDigests } from "#volume/duplicate.ts";
import type { FileRecord } from "#volume/file-record.ts";
import { derivedEtag, isSame, modifiedMsOf } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import { publish } from "#volume/publish.ts";
import { holdsNoBytes, putDirectory, replaceable, tooLarge } from "#volume/put.ts";
import { type OpenedObject, openObject } from "#volume/read.ts";
import { rewriteRecord } from "#volume/rewrite-record.ts";
import type { CopySource } from "#volume/source.ts";
import type { Volume } from "#volume/volume.ts";

interface Copy {
  readonly source: CopySource;
  readonly from: OpenedObject;
  readonly input: CopyInput;
}

/**
 * A new file with the bytes of another: shared where the file system can (reflink), else read and
 * written. A copy onto itself gives the file new metadata and a new time, and moves no byte.
 *
 * Differs: the ETag, the parts and the checksum of a source that was written through S3 are kept, where
 * AWS makes an object of one part.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(
  volume: Volume,
  path: KeyPath,
  { source, input }: Omit<Copy, "from">,
): Promise<CopyOutcome> {
  if (path.isDirectory || source.path.isDirectory) {
    const object = await copyDirectory(volume, path, { source, input });
    return { object, sourceVersionId: undefined };
  }
  const opened = await openObject(source.volume, source.path);
  if (opened === undefined) throw new S3Error("NoSuchKey", { Key: source.path.key });
  await using from = opened;
  requireConditions(source.conditions, from.current, COPY_SOURCE_NAMES);
  const before = await replaceable(volume, path);
  requireForWrite(input.conditions, before, path.key);
  const isItself =
    source.volume === volume &&
    source.path.key === path.key &&
    before !== undefined &&
    isSame(before.identity, from.current.identity);
  const copy = { source, from, input };
  const current = isItself ? await copyOnto(volume, path, copy) : await copyTo(volume, path, copy);
  return { object: infoOf(path, current), sourceVersionId: undefined };
}

/** Of nothing but itself: what is in it has keys of its own. */
async function copyDirectory(
  volume: Volume,
  path: KeyPath,
  { source, input }: Omit<Copy, "from">,
): Promise<ObjectInfo> {
  const from = await currentOf(source.volume, source.path);
  if (from === undefined) throw new S3Error("NoSuchKey", { Key: source.path.key });
  requireConditions(source.conditions, from, COPY_SOURCE_NAMES);
  if (!path.isDirectory || !source.path.isDirectory) throw holdsNoBytes(path.key);
  requireForWrite(input.conditions, await currentOf(volume, path), path.key);
  return await putDirectory(volume, path, input.conditions);
}

async function copyTo(
  volume: Volume,
  path: KeyPath,
  { source, from, input }: Copy,
): Promise<Current> {
  const { sizeBytes, inode } = from.current.identity;
  if (sizeBytes > volume.limits.fileBytesMax) throw tooLarge(volume.limits.fileBytesMax);
  using room = await volume.usage.reserve(sizeBytes);
  const sums = await knownDigests(source.volume, from.current);
  const { md5, checksum, ...made } = await duplicate(
    volume,
    { from, known: sums },
    input.algorithm,
  );
  await using file = made.file;
  const identity = await file.seal(volume.clock.now());
  const known = from.current.record;
  const etag = known?.etag ?? md5;
  const record = { ...metadataOf(known, input), etag, checksum, partsCount: known?.partsCount };
  const parts =
    record.partsCount === undefined ? undefined : await source.volume.records.readParts(inode);
  const { conditions } = input;
  const freed = await publish(volume, { path, file, identity, record, parts, conditions });
  await room.settle(sizeBytes - freed);
  return currentWith(identity, record);
}

async function copyOnto(volume: Volume, path: KeyPath, { from, input }: Copy): Promise<Current> {
  const known = from.current.record;
  const sums = await knownDigests(volume, from.current);
  const record = {
    ...metadataOf(known, input),
    etag: known?.etag,
    checksum: await checksumOf({ from, known: sums }, input.algorithm),
    partsCount: known?.partsCount,
  };
  const identity = await rewriteRecord(volume, path, { from, record });
  return currentWith(identity, record);
}

function currentWith(identity: Current["identity"], record: FileRecord): Current {
  const etag = record.etag ?? derivedEtag(identity);
  return { identity, record, etag, modifiedMs: modifiedMsOf(identity) };
}

function metadataOf(known: FileRecord | undefined, { attributes }: CopyInput): Metadata {
  const { headers, userMetadata } = known ?? { headers: {}, userMetadata: {} };
  return copiedMetadata({ headers, userMetadata }, attributes);
}
