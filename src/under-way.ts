import type { Clock } from "#base/clock.ts";

interface Start {
  readonly ms: number;
  /** By a clock that nobody sets. */
  readonly upMs: number;
}

/** Requests that are still being answered: the blobs that they may have found must stay. */
export class UnderWay {
  readonly #clock: Pick<Clock, "now">;
  readonly #upMs: () => number;
  /** A set keeps its order, so that the first is the oldest. */
  readonly #starts = new Set<Start>();

  constructor(clock: Pick<Clock, "now">, upMs: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#upMs = upMs;
  }

  /** What it answers is called at the end. */
  begin(): () => void {
    const start = { ms: this.#clock.now(), upMs: this.#upMs() };
    this.#starts.add(start);
    return () => this.#starts.delete(start);
  }

  /**
   * When the oldest of them began, or before, so that whatever was thrown away since then has a later time,
   * also where the clock was set meanwhile: forward, what was thrown away before that has the old time; back, it
   * has a time before that of requests which had begun.
   */
  oldestMs(): number {
    const nowMs = this.#clock.now();
    const [oldest] = this.#starts;
    if (oldest === undefined) return nowMs;
    let earliestMs = nowMs - (this.#upMs() - oldest.upMs);
    for (const { ms } of this.#starts) earliestMs = Math.min(earliestMs, ms);
    return Math.floor(earliestMs);
  }
}
