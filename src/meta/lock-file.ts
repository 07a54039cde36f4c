import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "#base/error.ts";

/** More than LMDB keeps there: what all share, and a place for each reader. */
const BYTES = 16 * 1_024;

/**
 * Makes the file over which processes that open a map meet, when there is none. LMDB makes it as a hole and
 * maps it: on a full disk the first to touch it is ended by SIGBUS, without a word. Whole under its name, or not
 * at all, since another process may do the same.
 * Fails: StorageError "full", "unavailable".
 */
export function makeLockFile(directory: string): void {
  const path = join(directory, "lock.mdb");
  if (existsSync(path)) return;
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Buffer.alloc(BYTES), { mode: 0o600, flush: true });
    linkSync(temporary, path);
  } catch (cause) {
    if (!existsSync(path)) throw cannotOpen(directory, cause);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Says where it was. */
export function cannotOpen(directory: string, cause: unknown): StorageError {
  const kind = /ENOSPC|No space left/.test(String(cause)) ? "full" : "unavailable";
  return new StorageError(kind, `${directory}: the metadata cannot be opened (${cause}).`, cause);
}
