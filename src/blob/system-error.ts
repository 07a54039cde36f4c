import { StorageError } from "#base/error.ts";

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
  return error instanceof Error && "errno" in error && "code" in error ? error.code : undefined;
}
