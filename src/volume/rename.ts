import type { BigIntStats } from "node:fs";
import { rename, unlink } from "node:fs/promises";
import { invalidArgument, S3Error } from "#base/error.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import { RENAME_SOURCE_NAMES, requireConditions, requireForRename } from "#object/conditions.ts";
import type { Renamed, RenameInput } from "#object/engine.ts";
import { currentOf } from "#volume/current.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { Held } from "#volume/locks.ts";
import { lookedAt } from "#volume/look.ts";
import { linkedAs, renameAs } from "#volume/lost-replies.ts";
import { makeDirectory } from "#volume/make-directories.ts";
import type { OpenDirectory } from "#volume/open-directory.ts";
import { lockName, Replaced, requireReplaceable } from "#volume/publish.ts";
import { RenameToken } from "#volume/rename-token.ts";
import type { Bytes } from "#volume/shown-name.ts";
import type { Volume } from "#volume/volume.ts";

interface Move {
  readonly from: KeyPath;
  readonly to: KeyPath;
  readonly input: RenameInput;
  readonly token: RenameToken | undefined;
}

/** Both names, each in a directory that is held open. */
interface Ends {
  readonly source: { readonly directory: OpenDirectory; readonly name: Bytes };
  readonly destination: { readonly directory: OpenDirectory; readonly name: Bytes };
}

/**
 * One rename(2), of a file, or with slashes at the ends of both keys of a directory with all that is in
 * it. With `If-None-Match: *` a file gets its second name by link(2), which never replaces anything, and
 * then loses its first. All of it is kept, its time too.
 *
 * Fails: NoSuchKey, PreconditionFailed, IdempotencyParameterMismatch, InvalidArgument (a file to a
 * directory, or over one), InvalidRequest (a directory into itself, or over one that is not empty).
 */
export async function renameObject(
  volume: Volume,
  to: KeyPath,
  given: { readonly from: KeyPath; readonly input: RenameInput },
): Promise<Renamed> {
  const { from, input } = given;
  const token =
    input.token === undefined
      ? undefined
      : new RenameToken(volume, to.key, { ...input, token: input.token });
  requireAlike(from, to);
  const begun = await token?.find();
  const source = await currentOf(volume, from);
  if (begun !== undefined && String(source?.identity.inode) !== begun.inode) {
    return { etag: begun.etag };
  }
  if (source === undefined) throw new S3Error("NoSuchKey", { Key: from.key });
  requireConditions(input.sourceConditions, source, RENAME_SOURCE_NAMES);
  requireForRename(input.conditions, await currentOf(volume, to));
  // Unverified: AWS's answer to an object renamed to itself; here it succeeds and changes nothing.
  if (from.key === to.key) return { etag: source.etag };
  return await move(volume, { from, to, input, token });
}

async function move(volume: Volume, { from, to, ...rest }: Move): Promise<Renamed> {
  await using directory = await volume.tree.directory(from.names.slice(0, -1));
  if (directory === undefined) throw new S3Error("NoSuchKey", { Key: from.key });
  await using made = await makeDirectory(volume, to.names.slice(0, -1), to.key);
  const ends: Ends = {
    source: { directory, name: from.names.at(-1) ?? "" },
    destination: { directory: made.directory, name: to.names.at(-1) ?? "" },
  };
  try {
    const done = await holdBoth(volume, ends, async (held) =>
      commit(volume, { from, to, ...rest }, { ...ends, held }),
    );
    await Promise.all([directory.sync(), made.directory.sync()]);
    if (done.freed > 0) await volume.usage.count(-done.freed);
    return { etag: done.etag };
  } catch (error) {
    await made.undo();
    throw error;
  }
}

/** In the order of their names, so that two renames never wait for each other. */
async function holdBoth<T>(
  { locks }: Volume,
  ends: Ends,
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const names: string[] = [];
  for (const { directory, name } of [ends.source, ends.destination]) {
    names.push(lockName((await directory.stats()).ino, name));
  }
  const [first = "", second = ""] = names.sort();
  if (first === second) return await locks.hold(first, work);
  return await locks.hold(first, async (one) =>
    locks.hold(second, async (other) => {
      const confirm = async () => {
        await one.confirm();
        await other.confirm();
      };
      return await work({ confirm });
    }),
  );
}

async function commit(
  volume: Volume,
  { from, to, input, token }: Move,
  { source, destination, held }: Ends & { readonly held: Held },
): Promise<{ readonly etag: string; readonly freed: number }> {
  const [old, next] = [
    source.directory.entry(source.name),
    destination.directory.entry(destination.name),
  ];
  const moved = await lookedAt(volume, source.directory, source.name);
  const there = await lookedAt(volume, destination.directory, destination.name);
  const current = await currentOf(volume, from);
  if (current === undefined || moved === undefined) {
    throw new S3Error("NoSuchKey", { Key: from.key });
  }
  requireConditions(input.sourceConditions, current, RENAME_SOURCE_NAMES);
  requireForRename(input.conditions, await currentOf(volume, to));
  if (!to.isDirectory) requireReplaceable(there, to.key);
  await using replaced = await Replaced.pin(volume, { ...destination, stats: there });
  await token?.begin({ etag: current.etag, inode: String(current.identity.inode) });
  try {
    await held.confirm();
    await moveName(
      { old, next },
      { moved, there, only: input.conditions.ifNoneMatch !== undefined, key: to.key },
    );
  } catch (error) {
    await token?.forget();
    throw refusal(error, from, to);
  }
  const freed = there?.ino === moved.ino ? 0 : await replaced.forget(volume);
  return { etag: current.etag, freed };
}

async function moveName(
  { old, next }: { readonly old: string | Buffer; readonly next: string | Buffer },
  {
    moved,
    there,
    only,
    key,
  }: {
    readonly moved: BigIntStats;
    readonly there: BigIntStats | undefined;
    /** Nothing may be replaced. */
    readonly only: boolean;
    readonly key: string;
  },
): Promise<void> {
  // To two names of one file rename(2) does nothing.
  if (there?.ino === moved.ino && there.dev === moved.dev) return await unlink(old);
  if (moved.isDirectory()) return await rename(old, next);
  const naming = { from: old, to: next, inode: moved.ino };
  if (!only) return await renameAs(naming);
  if (!(await linkedAs(naming))) throw new S3Error("ConditionalRequestConflict", { Key: key });
  await unlink(old).catch(absent);
}

/** Fails: InvalidArgument, InvalidRequest. */
function requireAlike(from: KeyPath, to: KeyPath): void {
  if (from.isDirectory !== to.isDirectory) {
    const message = "Both keys must end in a slash, for a directory, or neither, for a file.";
    throw invalidArgument("x-amz-rename-source", from.key, message);
  }
  if (from.isDirectory && to.key.startsWith(from.key) && to.key !== from.key) {
    throw invalidRequest("A directory cannot be renamed into itself.");
  }
}

/** What the system refuses, as S3 says it. */
function refusal(error: unknown, from: KeyPath, to: KeyPath): unknown {
  switch (systemCode(error)) {
    case "EEXIST":
      return from.isDirectory
        ? invalidRequest("The destination is a directory that is not empty.")
        : new S3Error("ConditionalRequestConflict", { Key: to.key }, { cause: error });
    case "ENOTEMPTY":
      return invalidRequest("The destination is a directory that is not empty.");
    case "ENOTDIR":
    case "EISDIR":
      return invalidArgument("Key", to.key, "At the key is a file, or a directory, of the volume.");
    case "EINVAL":
      return invalidRequest("A directory cannot be renamed into itself.");
    default:
      return error;
  }
}

function invalidRequest(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}
