import { constants } from "node:os";
import { StorageError } from "#base/error.ts";

/** What Node has no name for: it says "Unknown system error -116". */
const UNNAMED = new Map([
  [constants.errno.ESTALE, "ESTALE"],
  [constants.errno.EDQUOT, "EDQUOT"],
]);

/** Runs `work`, and tells what the operating system refuses as a StorageError. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    const kind = code === "ENOSPC" || code === "EDQUOT" ? "full" : "unavailable";
    throw new StorageError(kind, error.message, error);
  }
}

/** For `catch`: what is not there is undefined. */
export function absent(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}

/** As `ENOENT`; undefined when the error is not one of the operating system. */
export function systemCode(error: unknown): unknown {
  if (!(error instanceof Error && "errno" in error && "code" in error)) return undefined;
  return UNNAMED.get(-Number(error.errno)) ?? error.code;
}
