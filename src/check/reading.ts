import { StorageError } from "#base/error.ts";

/** What the process or the machine is short of at the moment, which is no fault of what is read. */
const SHORTAGES = ["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"];

/** What was read, or why not: "corrupt", it is not what was written; "unavailable", the disk does not give it. */
export type Read<T> = { readonly read: T } | { readonly refused: "corrupt" | "unavailable" };

/** Fails: what is no fault of the disk. */
export async function readable<T>(reading: Promise<T>): Promise<Read<T>> {
  try {
    return { read: await reading };
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    const { cause: first, kind } = cause;
    if (SHORTAGES.includes(String((first as { code?: unknown } | undefined)?.code))) throw cause;
    return { refused: kind === "corrupt" ? "corrupt" : "unavailable" };
  }
}
