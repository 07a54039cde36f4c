import type { FileHandle } from "node:fs/promises";
import { S3Error, StorageError } from "#base/error.ts";
import { guarded } from "#blob/system-error.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import type { OpenObject, PartInfo } from "#object/engine.ts";
import { type Current, currentOf, fileObject, infoOf } from "#volume/current.ts";
import { checksumFrom } from "#volume/file-digests.ts";
import { type Identity, identityOf, isSame } from "#volume/identity.ts";
import type { Kept } from "#volume/idle-files.ts";
import type { KeyPath } from "#volume/key-path.ts";
import { type OpenFile, openFile, readWhole } from "#volume/open-file.ts";
import { lockName } from "#volume/publish.ts";
import { unlessStale } from "#volume/stale.ts";
import type { Volume } from "#volume/volume.ts";

/** Fails: NoSuchKey. */
export async function headObject(volume: Volume, path: KeyPath): Promise<ObjectInfo> {
  const current = await present(volume, path, async () => await currentOf(volume, path));
  if (current === undefined) throw new S3Error("NoSuchKey", { Key: path.key });
  return await shownInfo(volume, path, current);
}

/** The file is open when it resolves, so that its bytes are those of the ETag. Fails: NoSuchKey. */
export async function getObject(volume: Volume, path: KeyPath): Promise<OpenObject> {
  if (path.isDirectory) {
    const info = await headObject(volume, path);
    return { info, read: () => Buffer.alloc(0), parts: async () => [whole(info)] };
  }
  const opened = await openObject(volume, path);
  if (opened === undefined) throw new S3Error("NoSuchKey", { Key: path.key });
  const { file, current } = opened;
  const info = await shownInfo(volume, path, current).catch(async (error: unknown) => {
    await opened[Symbol.asyncDispose]();
    throw error;
  });
  const { identity } = current;
  const kept = volume.idle.keep(file);
  return {
    info,
    read: (from, to) =>
      from === to ? Buffer.alloc(0) : readKept(volume, { path, identity, kept }, { from, to }),
    parts: async () => await partsOf(volume, info, identity),
  };
}

/** A file that is open, and the object it is. */
export type OpenedObject = OpenFile & { readonly current: Current };

/** undefined when there is none. */
export async function openObject(volume: Volume, path: KeyPath): Promise<OpenedObject | undefined> {
  if (path.isDirectory) return undefined;
  return await present(volume, path, async () => await openNow(volume, path));
}

/**
 * An NFS client that replaces a file which a program has open on the same machine first gives it another
 * name: in between, other machines find no file. Who holds the lock of the name knows.
 */
async function present<T>(
  volume: Volume,
  { names, isDirectory }: KeyPath,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = await unlessStale(look);
  if (found !== undefined || isDirectory || !volume.tree.mount.isShared) return found;
  await using directory = await volume.tree.directory(names.slice(0, -1));
  if (directory === undefined) return undefined;
  const { ino } = await directory.stats();
  const name = lockName(ino, names.at(-1) ?? "");
  return await volume.locks.hold(name, async () => await unlessStale(look));
}

async function openNow(volume: Volume, path: KeyPath): Promise<OpenedObject | undefined> {
  await using found = await volume.tree.find(path.names);
  const opened = found === undefined ? undefined : await openFile(found);
  if (opened === undefined) return undefined;
  try {
    return { ...opened, current: await fileObject(volume, identityOf(opened.stats)) };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

interface ToRead {
  readonly path: KeyPath;
  readonly identity: Identity;
  readonly kept: Kept;
}

async function* readKept(
  volume: Volume,
  { path, identity, kept }: ToRead,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { leave } = volume.enter();
  try {
    await using file = kept.take() ?? (await guarded(() => openAgain(volume, path, identity)));
    yield* readWhole(file, identity, range);
  } finally {
    leave();
  }
}

/** For a reader that came late, or a second time. Fails: StorageError "conflict". */
async function openAgain(volume: Volume, path: KeyPath, identity: Identity): Promise<FileHandle> {
  await using found = await volume.tree.find(path.names);
  const opened = found === undefined ? undefined : await openFile(found);
  if (opened === undefined) throw new StorageError("conflict", "a file went before it was read");
  if (isSame(identityOf(opened.stats), identity)) return opened.file;
  await opened[Symbol.asyncDispose]();
  throw new StorageError("conflict", "a file was replaced before it was read");
}

/** With the checksum that was computed of a file that was not written through S3. */
async function shownInfo(volume: Volume, path: KeyPath, current: Current): Promise<ObjectInfo> {
  const info = infoOf(path, current);
  const { identity, record } = current;
  if (path.isDirectory || record !== undefined) return info;
  const known = await volume.records.readDigests(identity.inode);
  return { ...info, checksum: checksumFrom(known, identity) };
}

async function partsOf(
  { records }: Volume,
  info: ObjectInfo,
  { inode }: Identity,
): Promise<readonly PartInfo[]> {
  const rows = info.partsCount === undefined ? undefined : await records.readParts(inode);
  return rows ?? [whole(info)];
}

function whole({ sizeBytes, etag, modifiedMs }: ObjectInfo): PartInfo {
  return { number: 1, sizeBytes, etag, modifiedMs, checksum: undefined };
}
