import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { StorageError } from "#base/error.ts";
import { readRange } from "#blob/file-reader.ts";
import type { ByteRange } from "#blob/store.ts";
import { guarded, systemCode } from "#blob/system-error.ts";
import { type Identity, identityOf, isSame } from "#volume/identity.ts";
import type { SystemPath } from "#volume/open-directory.ts";
import type { Found } from "#volume/tree.ts";

/** A regular file that is held open: whatever happens to its name, it is this one that is read. */
export interface OpenFile extends AsyncDisposable {
  readonly file: FileHandle;
  readonly stats: BigIntStats;
}

/**
 * undefined when there is none, or what is there is no regular file. `keepsAccessTime`: where the server
 * may, reading it leaves no trace, by which others may tell what is used. Fails: as open(2).
 */
export async function openFile(
  { directory, name, stats }: Found,
  { keepsAccessTime = false }: { readonly keepsAccessTime?: boolean } = {},
): Promise<OpenFile | undefined> {
  // Asked before, since opening a device can do something.
  if (!stats.isFile()) return undefined;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const path = directory.entry(name);
  const unseen = keepsAccessTime ? await openUnseen(path, flags) : undefined;
  const file = unseen ?? (await open(path, flags).catch(exchanged));
  if (file === undefined) return undefined;
  const now = await file.stat({ bigint: true }).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  if (!now.isFile()) {
    await file.close();
    return undefined;
  }
  return { file, stats: now, [Symbol.asyncDispose]: async () => await file.close() };
}

/**
 * The bytes `from <= i < to` of a file that was opened as `identity` and stays open. Fails, after the
 * chunks but the last: StorageError "corrupt" when it has become shorter, "conflict" when it was
 * written to in place. One that has only grown is what it was, as far as it went.
 */
export async function* readWhole(
  file: FileHandle,
  identity: Identity,
  range: ByteRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = range.to - range.from;
  for await (const chunk of readRange(file, range)) {
    left -= chunk.length;
    if (left === 0) await requireUnchanged(file, identity);
    yield chunk;
  }
}

/** Fails: StorageError "conflict". */
export async function requireUnchanged(file: FileHandle, identity: Identity): Promise<void> {
  const now = identityOf(await guarded(() => file.stat({ bigint: true })));
  if (isSame(now, identity) || now.sizeBytes > identity.sizeBytes) return;
  throw new StorageError("conflict", "a file was written to while it was read");
}

/** undefined where the file is another user's, or the system has no such thing. */
async function openUnseen(path: SystemPath, flags: number): Promise<FileHandle | undefined> {
  const { O_NOATIME } = constants;
  if (O_NOATIME === undefined) return undefined;
  return await open(path, flags | O_NOATIME).catch((error: unknown) => {
    if (systemCode(error) !== "EPERM") return exchanged(error);
  });
}

/** For `catch`: it went, or became a link, since it was looked at. */
function exchanged(error: unknown): undefined {
  const code = systemCode(error);
  if (code !== "ENOENT" && code !== "ELOOP" && code !== "ENXIO") throw error;
}
