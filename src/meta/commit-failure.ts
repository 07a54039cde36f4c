import { statfs } from "node:fs/promises";
import { StorageError } from "#base/error.ts";

/** Above what one transaction writes: with less space than this, a write that fell short found none. */
const NO_SPACE_BYTES = 64 * 2 ** 20;
const EIO = 5;

/**
 * What lmdb-js told of a commit, or of a copy of the map, that failed.
 *
 * Observed: 2026-11-21, a full disk fails a commit with ENOSPC, or with EIO when some of its pages
 * still fitted; nothing is applied, and commits work again as soon as there is space.
 */
export async function commitFailure(cause: unknown, path: string): Promise<StorageError> {
  const reason = await reasonOf(cause);
  const text = String(reason);
  const full =
    /ENOSPC|EDQUOT|No space left|MDB_MAP_FULL|quota exceeded/i.test(text) ||
    (isRecord(reason) && reason["code"] === EIO && (await lacksSpace(path)));
  return new StorageError(full ? "full" : "unavailable", `metadata commit failed: ${text}`, reason);
}

/** lmdb-js rejects a second promise with what the system said; one that nobody takes ends the process. */
async function reasonOf(cause: unknown): Promise<unknown> {
  if (!isRecord(cause) || !(cause["commitError"] instanceof Promise)) return cause;
  const told = cause["commitError"].catch((reason: unknown) => reason);
  // It is rejected in the same turn, or never.
  return await Promise.race([told, new Promise((resolve) => setImmediate(resolve, cause))]);
}

async function lacksSpace(path: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize < NO_SPACE_BYTES;
  } catch {
    return false;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
