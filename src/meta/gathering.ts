import { deadline, keepAlive } from "#base/clock.ts";

/** Of the time that a commit takes, so much is spent on waiting for those who were just told. */
const SHARE = 1 / 2;
/** A timer is no finer. */
const LEAST_MS = 1;
const MOST_MS = 20;
/** So many commits later it is tried again, when those who were told did not come back. */
const PAUSE_COMMITS = 16;

/**
 * When the next commit begins. Clients that ask again as soon as they are told would miss it, and meet those
 * who wait only every second time: half as many to a commit, and each waits for two. Where a commit takes
 * milliseconds it is worth a part of them to let all go together.
 */
export class Gathering {
  #expected = 0;
  #arrived: (() => void) | undefined;
  #paused = 0;

  /** `told` of the commit that took `ms` may come back; `count` tells how many wait now. */
  async wait(told: number, ms: number, count: () => number): Promise<void> {
    const waiting = count();
    const waitMs = Math.min(Math.floor(ms * SHARE), MOST_MS);
    // Who comes alone is never kept waiting.
    if (waiting + told < 2 || waitMs < LEAST_MS) return;
    if (this.#paused > 0) {
      this.#paused -= 1;
      return;
    }
    this.#expected = waiting + told;
    // What waits here to be committed may be all that the process is there for.
    using _ = keepAlive();
    await new Promise<void>((resolve) => {
      const timer = deadline(waitMs, resolve);
      this.#arrived = () => {
        if (count() < this.#expected) return;
        timer.cancel();
        resolve();
      };
    });
    this.#arrived = undefined;
    if (count() - waiting < told / 2) this.#paused = PAUSE_COMMITS;
  }

  /** Somebody has come. */
  stir(): void {
    this.#arrived?.();
  }
}
