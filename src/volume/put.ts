import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { requireForWrite, type WriteConditions } from "#object/conditions.ts";
import { BodyDigests } from "#object/digests.ts";
import type { PutInput } from "#object/engine.ts";
import { type Current, currentOf, infoOf, objectAt } from "#volume/current.ts";
import { modifiedMsOf } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import { makeDirectory } from "#volume/make-directories.ts";
import { NewFile, receiveInto } from "#volume/new-file.ts";
import { publish, requireReplaceable } from "#volume/publish.ts";
import type { Volume } from "#volume/volume.ts";

/** When a client names no algorithm, as AWS does since 2024. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

/** Writes a file beside, and then it is there whole. A key that ends in a slash is a directory. */
export async function putObject(
  volume: Volume,
  path: KeyPath,
  input: PutInput,
): Promise<ObjectInfo> {
  if (path.isDirectory) return await receiveDirectory(volume, path, input);
  const { body, attributes, conditions } = input;
  const { putBytesMax } = volume.limits;
  if ((body.sizeBytesMin ?? body.sizeBytes) > putBytesMax) throw tooLarge(putBytesMax);
  requireForWrite(conditions, await replaceable(volume, path), path.key);
  using room = await volume.usage.reserve(body.sizeBytes);
  await using file = await NewFile.create(volume);
  const algorithm = body.algorithm ?? DEFAULT_ALGORITHM;
  const { md5, checksums } = await receiveInto({ file: file.file, at: 0 }, body, [algorithm]);
  const identity = await file.seal(volume.clock.now());
  const value = checksums[algorithm];
  const record = {
    etag: md5,
    checksum: value === undefined ? undefined : { algorithm, type: "FULL_OBJECT" as const, value },
    partsCount: undefined,
    headers: attributes.headers,
    userMetadata: attributes.userMetadata,
  };
  const freed = await publish(volume, { path, file, identity, record, conditions });
  await room.settle(identity.sizeBytes - freed);
  return infoOf(path, { identity, record, etag: md5, modifiedMs: modifiedMsOf(identity) });
}

/**
 * The object that a write to a key would replace. Asked before the body is.
 * Fails: InvalidArgument when a directory, or a file on the way, cannot give way to the key.
 */
export async function replaceable(volume: Volume, path: KeyPath): Promise<Current | undefined> {
  const { key, names } = path;
  await using found = await volume.tree.find(names);
  if (found !== undefined) {
    requireReplaceable(found.stats, key);
    return await objectAt(volume, path, found);
  }
  for (let depth = names.length - 1; depth > 0; depth -= 1) {
    await using above = await volume.tree.find(names.slice(0, depth));
    if (above === undefined) continue;
    if (above.stats.isDirectory()) return undefined;
    throw invalidArgument("Key", key, "A part of the key before its last slash is a file.");
  }
  return undefined;
}

async function receiveDirectory(
  volume: Volume,
  path: KeyPath,
  { body, conditions }: PutInput,
): Promise<ObjectInfo> {
  if ((body.sizeBytesMin ?? body.sizeBytes) > 0) throw holdsNoBytes(path.key);
  requireForWrite(conditions, await currentOf(volume, path), path.key);
  const digests = new BodyDigests(body, body.algorithm === undefined ? [] : [body.algorithm]);
  for await (const chunk of body.chunks) {
    if (chunk.length > 0) throw holdsNoBytes(path.key);
    await digests.update(chunk);
  }
  digests.finish();
  return await putDirectory(volume, path, conditions);
}

/** A directory is all its key can be: it keeps neither bytes nor metadata. */
export async function putDirectory(
  volume: Volume,
  path: KeyPath,
  conditions: WriteConditions,
): Promise<ObjectInfo> {
  await using made = await makeDirectory(volume, path.names, path.key);
  if (conditions.ifNoneMatch !== undefined && !made.made) {
    throw new S3Error("ConditionalRequestConflict", { Key: path.key });
  }
  const current = await currentOf(volume, path);
  // Who removed it meanwhile did so after it was there.
  if (current === undefined) throw new S3Error("OperationAborted", {});
  return infoOf(path, current);
}

export function holdsNoBytes(key: string): S3Error {
  const message = "A key that ends in a slash is a directory of the volume and holds no bytes.";
  return invalidArgument("Key", key, message);
}

export function tooLarge(bytesMax: number): S3Error {
  const message = `Your proposed upload exceeds the maximum allowed size of ${bytesMax} bytes.`;
  return new S3Error("EntityTooLarge", {}, { message });
}
