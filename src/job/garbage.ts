import type { Log } from "#base/log.ts";
import { type Collected, collectGarbage } from "#versioned/garbage.ts";
import type { Stores } from "#versioned/store.ts";

export interface GarbageJob {
  readonly stores: Stores;
  /** How long what was discarded stays, at the least, and how much older than any request it must be. */
  readonly graceMs: number;
  /** When the oldest request began that is still being answered: it may read what it found then. */
  readonly oldestReadMs: () => Promise<number>;
  readonly count: (collected: Collected) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const IDLE_MS_MAX = 10_000;
const IDLE_MS_MIN = 250;

/** Clears away discarded content until the signal; a failure is logged once, and tried again until it is over. */
export async function runGarbage(job: GarbageJob): Promise<void> {
  const { stores, graceMs, signal } = job;
  const idleMs = Math.min(IDLE_MS_MAX, Math.max(IDLE_MS_MIN, graceMs / 4));
  let told = "";
  const tell = (cause: unknown) => {
    const failure = String(cause);
    if (failure !== told) {
      job.log.error("clearing away garbage failed; it will be tried again", cause);
    }
    told = failure;
  };
  while (!signal.aborted) {
    let entries = 0;
    try {
      const oldestMs = Math.min(stores.clock.now(), await job.oldestReadMs());
      // An entry's time is that of the decision: who began a little later may have come before its commit.
      const beforeMs = oldestMs - graceMs;
      const collected = await collectGarbage(stores, Math.max(0, beforeMs), signal);
      entries = collected.entries;
      job.count(collected);
      if (collected.failure === undefined) told = "";
      else tell(collected.failure);
    } catch (cause) {
      tell(cause);
    }
    if (entries === 0) await stores.clock.sleep(idleMs, signal).catch(() => undefined);
  }
}
