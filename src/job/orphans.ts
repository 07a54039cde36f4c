import type { Log } from "#base/log.ts";
import { removeOrphans } from "#versioned/orphans.ts";
import type { Stores } from "#versioned/store.ts";

export interface OrphanJob {
  readonly stores: Stores;
  /** When the oldest request began that is still being answered. */
  readonly oldestMs: () => Promise<number>;
  readonly count: (removed: number) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const FIRST_MS = 60_000;
const EVERY_MS = 24 * 60 * 60 * 1_000;
const AGE_MS_MIN = 60 * 60 * 1_000;
const WAIT_MS = 10 * 60 * 1_000;

/** Looks for orphans a minute after the start and then daily, until the signal. */
export async function runOrphans(job: OrphanJob): Promise<void> {
  const { stores, oldestMs, count, log, signal } = job;
  let waitMs = FIRST_MS;
  while (!signal.aborted) {
    try {
      await stores.clock.sleep(waitMs, signal);
      const { removed, failure } = await removeOrphans(stores, {
        ageMsMin: AGE_MS_MIN,
        waitMs: WAIT_MS,
        oldestMs,
        signal,
      });
      count(removed);
      if (removed > 0) log.info("removed blobs that a crash had left behind", { removed });
      if (failure !== undefined) throw failure;
    } catch (cause) {
      if (signal.aborted) return;
      log.error("looking for orphaned blobs failed; it will be tried again", cause);
    }
    waitMs = EVERY_MS;
  }
}
