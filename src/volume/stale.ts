import { systemCode } from "#blob/system-error.ts";

/** Each time another machine must have replaced the file anew. */
const ATTEMPTS_MAX = 10;

/**
 * Does again what met a file that another machine replaced or removed between two steps: NFS says
 * ESTALE, where a local file system goes on with the file that was opened. Fails: as `work`.
 */
export async function unlessStale<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (systemCode(error) !== "ESTALE" || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
