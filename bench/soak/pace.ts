import { type Clock, systemClock } from "#base/clock.ts";

/** How often somebody may begin something, all of them together. */
export class Pace {
  readonly #everyMs: number;
  readonly #clock: Clock;
  #nextMs = 0;

  /** As often as they like when `perSecond` is undefined. */
  constructor(perSecond: number | undefined, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#everyMs = perSecond === undefined ? 0 : 1_000 / perSecond;
  }

  /** Resolves when it is the caller's turn, or when `signal` ends the waiting. Turns that were missed are not made up for. */
  async turn(signal: AbortSignal): Promise<void> {
    if (this.#everyMs === 0) return;
    const nowMs = this.#clock.now();
    const mineMs = Math.max(nowMs, this.#nextMs);
    this.#nextMs = mineMs + this.#everyMs;
    // What ends the waiting is no failure of it.
    await this.#clock.sleep(mineMs - nowMs, signal).catch(() => undefined);
  }
}
