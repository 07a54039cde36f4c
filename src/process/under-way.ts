import type { Clock } from "#base/clock.ts";

interface Start {
  readonly ms: number;
  /** By a clock that nobody sets. */
  readonly upMs: number;
  /** Where it stands among the others. */
  at: number;
}

/** Requests that are still being answered: the blobs that they may have found must stay. */
export class UnderWay {
  readonly #clock: Pick<Clock, "now">;
  readonly #upMs: () => number;
  /**
   * In no order. Not a Set: each of its tables leads to the one that took its place, so that a single one in V8's old
   * space brings all later ones there, and a worker marks its heap every second.
   */
  readonly #starts: Start[] = [];

  constructor(clock: Pick<Clock, "now">, upMs: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#upMs = upMs;
  }

  /** What it answers is called at the end. */
  begin(): () => void {
    const starts = this.#starts;
    const start = { ms: this.#clock.now(), upMs: this.#upMs(), at: starts.length };
    starts.push(start);
    return () => {
      // The last takes its place; of one that has ended before there is none.
      const last = starts[start.at] === start ? starts.pop() : undefined;
      if (last === undefined || last === start) return;
      last.at = start.at;
      starts[start.at] = last;
    };
  }

  /**
   * When the oldest of them began, or before, so that whatever was thrown away since then has a later time,
   * also where the clock was set meanwhile: forward, what was thrown away before that has the old time; back, it
   * has a time before that of requests which had begun.
   */
  oldestMs(): number {
    const nowMs = this.#clock.now();
    const sinceMs = nowMs - this.#upMs();
    let earliestMs = nowMs;
    for (const { ms, upMs } of this.#starts) earliestMs = Math.min(earliestMs, ms, sinceMs + upMs);
    return Math.floor(earliestMs);
  }
}
