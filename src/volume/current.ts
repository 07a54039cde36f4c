import type { ObjectInfo } from "#object/attributes.ts";
import type { FileRecord } from "#volume/file-record.ts";
import { derivedEtag, type Identity, identityOf, modifiedMsOf } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { Found } from "#volume/tree.ts";
import type { Volume } from "#volume/volume.ts";

/** The object that a file is at a moment. */
export interface Current {
  readonly identity: Identity;
  readonly record: FileRecord | undefined;
  readonly etag: string;
  readonly modifiedMs: number;
}

/** The MD5 of nothing: what a directory has of bytes. */
export const NOTHING_MD5 = "d41d8cd98f00b204e9800998ecf8427e";

/** The object of that key; undefined when there is none. */
export async function currentOf(volume: Volume, path: KeyPath): Promise<Current | undefined> {
  await using found = await volume.tree.find(path.names);
  return found === undefined ? undefined : await objectAt(volume, path, found);
}

/** What is found is an object when it is what the key says, a file or a directory. */
export async function objectAt(
  volume: Volume,
  { isDirectory }: KeyPath,
  { stats }: Pick<Found, "stats">,
): Promise<Current | undefined> {
  if (isDirectory ? !stats.isDirectory() : !stats.isFile()) return undefined;
  const identity = identityOf(stats);
  const modifiedMs = modifiedMsOf(identity);
  if (isDirectory) return { identity, record: undefined, etag: NOTHING_MD5, modifiedMs };
  return await fileObject(volume, identity);
}

export async function fileObject(volume: Volume, identity: Identity): Promise<Current> {
  const record = await volume.records.find(identity);
  const etag = record?.etag ?? derivedEtag(identity);
  return { identity, record, etag, modifiedMs: modifiedMsOf(identity) };
}

export function infoOf({ key, isDirectory }: KeyPath, current: Current): ObjectInfo {
  const { identity, record, etag, modifiedMs } = current;
  return {
    key,
    sizeBytes: isDirectory ? 0 : identity.sizeBytes,
    etag,
    modifiedMs,
    versionId: undefined,
    attributes: {
      headers: record?.headers ?? {},
      userMetadata: record?.userMetadata ?? {},
      tags: [],
      storageClass: "STANDARD",
    },
    checksum: record?.checksum,
    partsCount: record?.partsCount,
  };
}
