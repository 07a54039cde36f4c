import { StorageError } from "#base/error.ts";

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** Says of what the system refuses where it was. Fails: StorageError "full", "unavailable". */
export async function systemError<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const kind = FULL.has(code) ? "full" : "unavailable";
    throw new StorageError(
      kind,
      `${path}: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    );
  }
}
