import { StorageError } from "#base/error.ts";
import { assembledChecksum, assembledMd5, assembledSize, chooseParts } from "#object/assembly.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { requireForWrite } from "#object/conditions.ts";
import type { CompleteInput, UploadInfo } from "#object/engine.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { assemble, closeClaims, isPublished, openClaims } from "#volume/assemble.ts";
import { type Current, currentOf, infoOf } from "#volume/current.ts";
import { modifiedMsOf } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { Held } from "#volume/locks.ts";
import { type PartRecord, partInfo, readPartRecords } from "#volume/part-record.ts";
import { publish } from "#volume/publish.ts";
import { replaceable, tooLarge } from "#volume/put.ts";
import { findUpload, removeUpload } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

interface Completion {
  readonly path: KeyPath;
  readonly uploadId: string;
  readonly input: CompleteInput;
}

/**
 * Makes the parts one file. When it has resolved the upload is no more: to complete it again fails
 * with NoSuchUpload, and the object is there.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 * Fails: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge, BadDigest, as put.
 */
export async function completeUpload(volume: Volume, completion: Completion): Promise<ObjectInfo> {
  const { path, uploadId, input } = completion;
  await findUpload(volume, path.key, uploadId);
  const before = await replaceable(volume, path);
  if (before === undefined || !(await isPublished(volume, uploadId, before.identity.inode))) {
    requireForWrite(input.conditions, before, path.key);
  }
  return await volume.locks.hold(uploadId, async (held) => finish(volume, completion, held));
}

async function finish(
  volume: Volume,
  { path, uploadId, input }: Completion,
  held: Held,
): Promise<ObjectInfo> {
  const upload = await findUpload(volume, path.key, uploadId);
  const there = await currentOf(volume, path);
  if (there !== undefined && (await isPublished(volume, uploadId, there.identity.inode))) {
    await removeUpload(volume, uploadId);
    return infoOf(path, there);
  }
  await closeClaims(volume, uploadId);
  try {
    const ask = { afterNumber: 0, limit: PART_NUMBER_MAX };
    const all = await readPartRecords(volume, uploadId, ask);
    const { partBytesMin } = volume.limits;
    const chosen = chooseParts(all, input, { upload, partBytesMin });
    const current = await publishParts(volume, { path, upload, input, all, chosen, held });
    return infoOf(path, current);
  } catch (error) {
    await openClaims(volume, uploadId);
    throw error;
  }
}

interface Chosen {
  readonly path: KeyPath;
  readonly upload: UploadInfo;
  readonly input: CompleteInput;
  readonly all: readonly PartRecord[];
  readonly chosen: readonly PartRecord[];
  readonly held: Held;
}

async function publishParts(
  volume: Volume,
  { path, upload, input, all, chosen, held }: Chosen,
): Promise<Current> {
  const { uploadId, attributes, algorithm } = upload;
  const sizeBytes = assembledSize(chosen, input);
  if (sizeBytes > volume.limits.fileBytesMax) throw tooLarge(volume.limits.fileBytesMax);
  const record = {
    etag: `${assembledMd5(chosen)}-${chosen.length}`,
    checksum: assembledChecksum(chosen, upload, input),
    partsCount: chosen.length,
    headers: attributes.headers,
    userMetadata: attributes.userMetadata,
  };
  await using file = await assemble(volume, { uploadId, all, chosen, held });
  const { size } = await file.file.stat();
  if (size < sizeBytes)
    throw new StorageError("corrupt", `bytes of upload ${uploadId} are missing`);
  // What a writer that failed left behind the last part.
  if (size > sizeBytes) await file.file.truncate(sizeBytes);
  const identity = await file.seal(volume.clock.now());
  const parts = chosen.map((part) => partInfo(part, algorithm));
  const { conditions } = input;
  await held.confirm();
  const freed = await publish(volume, { path, file, identity, record, parts, conditions });
  const unused = await removeUpload(volume, uploadId);
  await volume.usage.count(-freed - (unused ?? 0));
  return { identity, record, etag: record.etag, modifiedMs: modifiedMsOf(identity) };
}
