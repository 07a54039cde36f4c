import { type Stats, statSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";

const LOOK_MS = 2_000;
/** What is looked for twice and not found is gone, and not just out of reach for a moment. */
const MISSED_MAX = 2;

interface Watch {
  readonly path: string;
  readonly clock: Clock;
  /** Told once. */
  readonly gone: (cause: StorageError) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks whether a directory is still what its path names, until the signal. Files that are open outlast their names:
 * where somebody removed the directory, or mounted another in its place, writes would be acknowledged that nobody
 * finds again.
 */
export async function watchDirectory({ path, clock, gone, signal }: Watch): Promise<void> {
  const own = found(path);
  let missed = 0;
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    missed = isSame(own, found(path)) ? 0 : missed + 1;
    if (missed < MISSED_MAX) continue;
    const message = `${path} was removed, or another directory stands in its place`;
    gone(new StorageError("unavailable", message));
    return;
  }
}

/** undefined: it is not there. */
type Found = Stats | "unknown" | undefined;

function found(path: string): Found {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // The disk does not say.
    return "unknown";
  }
}

function isSame(own: Found, now: Found): boolean {
  if (own === undefined || now === undefined) return false;
  if (own === "unknown" || now === "unknown") return true;
  return now.ino === own.ino && now.dev === own.dev;
}
