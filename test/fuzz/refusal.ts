import { PolicyError } from "#access/policy-error.ts";
import { S3Error } from "#base/error.ts";

export const REFUSED = Symbol("refused");

/** What `read` makes of its input, or REFUSED when it says no in the way it may. Fails: as `read`. */
export function orRefused<T>(read: () => T): T | typeof REFUSED {
  try {
    return read();
  } catch (cause) {
    return refused(cause);
  }
}

export async function orRefusedLater<T>(read: () => Promise<T>): Promise<T | typeof REFUSED> {
  try {
    return await read();
  } catch (cause) {
    return refused(cause);
  }
}

function refused(cause: unknown): typeof REFUSED {
  if (cause instanceof S3Error || cause instanceof PolicyError) return REFUSED;
  throw cause;
}
