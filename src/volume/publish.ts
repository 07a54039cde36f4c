import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, link, open, rm } from "node:fs/promises";
import { digestOf } from "#base/checksum.ts";
import { invalidArgument, S3Error } from "#base/error.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import { requireForWrite, type WriteConditions } from "#object/conditions.ts";
import { type Current, currentOf, fileObject } from "#volume/current.ts";
import type { FileRecord, PartRow } from "#volume/file-record.ts";
import { type Identity, identityOf } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { Held } from "#volume/locks.ts";
import { lookedAt } from "#volume/look.ts";
import { linkedAs, renameAs } from "#volume/lost-replies.ts";
import { makeDirectory } from "#volume/make-directories.ts";
import type { NewFile } from "#volume/new-file.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import type { Bytes } from "#volume/shown-name.ts";
import type { Volume } from "#volume/volume.ts";

/** A sealed file, and what it becomes. */
export interface Publication {
  readonly path: KeyPath;
  readonly file: NewFile;
  readonly identity: Identity;
  readonly record: FileRecord;
  readonly parts?: readonly PartRow[] | undefined;
  readonly conditions: WriteConditions;
}

/** Other programs remove directories; more often in a row than this they do not. */
const ATTEMPTS_MAX = 10;
/** Of stat(2), whatever the file system has. */
const BLOCK_BYTES = 512n;
/** Node has no constant for it: holds the inode, and takes no leave to read. */
const O_PATH = 0o10000000;

/**
 * Makes a file the object of a key, in one rename(2), or one link(2) where nothing may be there. Durable
 * when it resolves: the file, its record, its name, and the names of the directories above it.
 *
 * Resolves to the bytes that what it replaced gave back.
 * Fails: ConditionalRequestConflict when the conditions, which held before, fail now; InvalidArgument
 * when a directory or something else that is no file is in the way.
 */
export async function publish(volume: Volume, publication: Publication): Promise<number> {
  const { path, identity, record, parts } = publication;
  const { records } = volume;
  if (parts !== undefined) await records.writeParts(identity.inode, parts);
  await records.write(identity.inode, path.key, [{ identity, record }]);
  const state = { committed: false };
  try {
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === ATTEMPTS_MAX;
      const freed = await attemptPublish(volume, publication, { state, isLast });
      if (freed !== undefined) return freed;
    }
  } catch (error) {
    if (!state.committed) await records.removeAll(identity.inode);
    throw error;
  }
}

/** undefined: the directory went meanwhile. */
async function attemptPublish(
  volume: Volume,
  publication: Publication,
  { state, isLast }: { readonly state: { committed: boolean }; readonly isLast: boolean },
): Promise<number | undefined> {
  const { path, identity } = publication;
  await using made = await makeDirectory(volume, path.names.slice(0, -1), path.key);
  const { directory } = made;
  try {
    const name = path.names.at(-1) ?? "";
    const { ino } = await directory.stats();
    const freed = await volume.locks.hold(lockName(ino, name), async (held) => {
      const given = await commit(volume, publication, { directory, name, held });
      state.committed = true;
      return given;
    });
    await Promise.all([directory.sync(), volume.records.sync(identity.inode)]);
    return freed;
  } catch (error) {
    await made.undo();
    const code = systemCode(error);
    const isGone = code === "ENOENT" || code === "ESTALE";
    if (isGone && !isLast && !state.committed) return undefined;
    throw error;
  }
}

/** Of a name in a directory, whatever path leads to it. */
export function lockName(directory: bigint, name: Bytes): string {
  const text = Buffer.from(`${directory}/${name}`, "latin1");
  return digestOf("SHA256", text).toString("hex", 0, 16);
}

interface Place {
  readonly directory: OpenDirectory;
  readonly name: Bytes;
  readonly held: Held;
}

async function commit(
  volume: Volume,
  { path, file, identity, conditions }: Publication,
  { directory, name, held }: Place,
): Promise<number> {
  const entry = directory.entry(name);
  const there = await lookedAt(volume, directory, name);
  requireReplaceable(there, path.key);
  // Through the directory that is held: who moves it meanwhile takes the object along.
  const current = there?.isFile() === true ? fileObject(volume, identityOf(there)) : undefined;
  requireStill(conditions, await (current ?? currentOf(volume, path)), path.key);
  await using replaced = await Replaced.pin(volume, { directory, name, stats: there });
  await held.confirm();
  const naming = { from: file.path, to: entry, inode: identity.inode };
  if (conditions.ifNoneMatch === undefined) await renameAs(naming);
  else if (!(await linkedAs(naming))) {
    throw new S3Error("ConditionalRequestConflict", { Key: path.key });
  }
  return await replaced.forget(volume);
}

/** Fails: InvalidArgument. */
export function requireReplaceable(there: BigIntStats | undefined, key: string): void {
  if (there === undefined || there.isFile() || there.isSymbolicLink()) return;
  throw there.isDirectory()
    ? invalidArgument(
        "Key",
        key,
        "The key is a directory of the volume, whose key ends in a slash.",
      )
    : invalidArgument("Key", key, "At the key is something of the volume that is no file.");
}

function requireStill(
  conditions: WriteConditions,
  current: Current | undefined,
  key: string,
): void {
  try {
    requireForWrite(conditions, current, key);
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause;
    throw new S3Error("ConditionalRequestConflict", { Key: key }, { cause });
  }
}

/** What keeps an inode from being given to a new file. */
type Pin = AsyncDisposable;

/**
 * What a name stops to name. It is held, so that no new file gets its inode while its record is being
 * removed.
 */
export class Replaced implements AsyncDisposable {
  readonly #pin: Pin | undefined;
  readonly #identity: Identity | undefined;
  /** On the disk, where this was its last name. */
  readonly #bytes: number;

  private constructor(pin: Pin | undefined, stats: BigIntStats | undefined) {
    this.#pin = pin;
    const goes = stats?.isFile() === true && stats.nlink === 1n;
    this.#identity = goes ? identityOf(stats) : undefined;
    this.#bytes = goes ? Number(stats.blocks * BLOCK_BYTES) : 0;
  }

  static async pin(
    volume: Volume,
    {
      directory,
      name,
      stats,
    }: Pick<Place, "directory" | "name"> & { stats: BigIntStats | undefined },
  ): Promise<Replaced> {
    if (stats?.isFile() !== true) return new Replaced(undefined, undefined);
    const entry = directory.entry(name);
    const second = volume.tree.mount.isShared ? await secondName(volume, entry) : undefined;
    if (second !== undefined) return new Replaced(second, stats);
    const pin = await openPath(entry).catch(absent);
    return new Replaced(pin, pin === undefined ? undefined : await pin.stat({ bigint: true }));
  }

  /** Call when the name is gone. The bytes that are given back. */
  async forget({ records }: Volume): Promise<number> {
    if (this.#identity !== undefined) await records.remove(this.#identity);
    return this.#bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pin?.[Symbol.asyncDispose]();
  }
}

/**
 * On NFS a descriptor holds an inode for its own machine only, and by a rename: whoever replaces a file
 * that is open there first gives it another name, so that for a moment the key has none.
 * undefined where it may not be made.
 */
async function secondName(volume: Volume, entry: SystemPath): Promise<Pin | undefined> {
  const path = volume.temporary();
  try {
    await link(entry, path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => await rm(path, { force: true }) };
}

async function openPath(entry: SystemPath): Promise<FileHandle> {
  const access = process.platform === "linux" ? O_PATH : constants.O_RDONLY;
  return await open(entry, access | constants.O_NOFOLLOW);
}
