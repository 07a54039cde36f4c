import { lstat, mkdir, rmdir } from "node:fs/promises";
import { invalidArgument } from "#base/error.ts";
import { systemCode } from "#blob/system-error.ts";
import type { OpenDirectory } from "#volume/open-directory.ts";
import type { Bytes } from "#volume/shown-name.ts";
import type { Volume } from "#volume/volume.ts";

const DURABLE_MAX = 50_000;

/** A directory to write into, and what was made on the way to it. */
export interface MadeDirectory extends AsyncDisposable {
  readonly directory: OpenDirectory;
  /** It was not there before. */
  readonly made: boolean;
  /** Removes again all that was made, as far as nobody else uses it. */
  readonly undo: () => Promise<void>;
}

/**
 * The directory of that path, made where it is missing, and durable up to the root, whoever made it.
 * Fails: InvalidArgument when something else is in the way.
 */
export async function makeDirectory(
  volume: Volume,
  names: readonly Bytes[],
  key: string,
): Promise<MadeDirectory> {
  const made: (readonly Bytes[])[] = [];
  const undo = async () => await removeEmpty(volume, made.toReversed());
  try {
    const directory = await descend(volume, names, { key, made });
    await makeDurable(volume, names, { directory, isNew: made.length > 0 });
    return {
      ...{ directory, made: made.at(-1) === names, undo },
      [Symbol.asyncDispose]: async () => await directory[Symbol.asyncDispose](),
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

/** Removes directories that are empty, each; a full one or a missing one stays as it is. */
async function removeEmpty(volume: Volume, paths: Iterable<readonly Bytes[]>): Promise<void> {
  for (const names of paths) {
    const name = names.at(-1) ?? "";
    await using parent = await volume.tree.directory(names.slice(0, -1));
    if (parent !== undefined) await rmdir(parent.entry(name)).catch(unlessUsed);
  }
}

/** Fails: InvalidArgument. */
async function descend(
  volume: Volume,
  names: readonly Bytes[],
  trace: { readonly key: string; readonly made: (readonly Bytes[])[] },
): Promise<OpenDirectory> {
  const there = await volume.tree.directory(names);
  if (there !== undefined) return there;
  const name = names.at(-1) ?? "";
  await using parent = await descend(volume, names.slice(0, -1), trace);
  const path = parent.entry(name);
  try {
    await mkdir(path);
    await volume.dress(path, "directory");
    trace.made.push(names);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
  const directory = await volume.tree.directory(names);
  if (directory !== undefined) return directory;
  throw await inTheWay(parent, name, trace.key);
}

async function inTheWay(parent: OpenDirectory, name: Bytes, key: string) {
  const stats = await lstat(parent.entry(name)).catch(unlessUsed);
  const message = stats?.isSymbolicLink()
    ? "A part of the key is a link that leads out of the volume, or nowhere."
    : "A part of the key before its last slash is a file.";
  return invalidArgument("Key", key, message);
}

/** Once for each directory: each name on the way is synced in the directory that holds it. */
async function makeDurable(
  { tree, durable }: Volume,
  names: readonly Bytes[],
  { directory, isNew }: { readonly directory: OpenDirectory; readonly isNew: boolean },
): Promise<void> {
  if (names.length === 0) return;
  const { ino, birthtimeNs } = await directory.stats();
  // An inode is given again; where the file system knows of its birth, that tells.
  const known = `${ino}-${birthtimeNs}`;
  if (durable.has(known) && !isNew) return;
  for (let depth = names.length - 1; depth >= 0; depth -= 1) {
    await using parent = await tree.directory(names.slice(0, depth));
    await parent?.sync();
  }
  if (durable.size >= DURABLE_MAX) durable.clear();
  durable.add(known);
}

/** For `catch`: it is used by somebody, or gone; both are as well. */
function unlessUsed(error: unknown): undefined {
  const code = systemCode(error);
  if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT" && code !== "ENOTDIR") {
    throw error;
  }
}
