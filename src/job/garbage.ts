import type { Log } from "#base/log.ts";
import { type Collected, collectGarbage, hastenGarbage } from "#versioned/garbage.ts";
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
/** So many failures are remembered; more are told again. */
const TOLD_MAX = 1_000;

/** Clears away discarded content until the signal; a failure is logged once, and tried again until it is over. */
export async function runGarbage(job: GarbageJob): Promise<void> {
  const { stores, graceMs, signal } = job;
  const idleMs = Math.min(IDLE_MS_MAX, Math.max(IDLE_MS_MIN, graceMs / 4));
  const failures = new Failures(job.log);
  let after: Uint8Array | undefined;
  while (!signal.aborted) {
    let entries = 0;
    if (after === undefined) failures.begin();
    try {
      if (after === undefined) await hastenGarbage(stores);
      const oldestMs = Math.min(stores.clock.now(), await job.oldestReadMs());
      // An entry's time is that of the decision: who began a little later may have come before its commit.
      const beforeMs = Math.max(0, oldestMs - graceMs);
      const collected = await collectGarbage(stores, { beforeMs, after, signal });
      entries = collected.entries;
      after = collected.next;
      job.count(collected);
      if (collected.failure !== undefined) failures.tell(collected.failure);
    } catch (cause) {
      after = undefined;
      failures.tell(cause);
    }
    if (entries > 0) continue;
    // What cannot be worked off may be much: past it in small steps, and to its beginning after a while.
    const restMs = after === undefined ? idleMs : IDLE_MS_MIN;
    await stores.clock.sleep(restMs, signal).catch(() => undefined);
  }
}

/** What failed, told once for as long as it fails each time that all of the garbage is gone through. */
class Failures {
  readonly #log: Log;
  #before: ReadonlySet<string> = new Set();
  #now = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** All of it is gone through anew. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Set();
  }

  tell(cause: unknown): void {
    const failure = String(cause);
    if (!this.#before.has(failure) && !this.#now.has(failure)) {
      this.#log.error("clearing away garbage failed; it will be tried again", cause);
    }
    if (this.#now.size < TOLD_MAX) this.#now.add(failure);
  }
}
