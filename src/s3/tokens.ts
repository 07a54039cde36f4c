/** How fast tokens come, and how many there are at the most. */
interface Flow {
  readonly perSecond: number;
  readonly max: number;
}

/** A bucket of tokens. More may be taken than there are: then it owes them. */
export class Tokens {
  #level: number;
  #atMs: number;
  #perSecond = 0;

  constructor(level: number, nowMs: number) {
    this.#level = level;
    this.#atMs = nowMs;
  }

  /** Adds what has come since the last time. A clock that was set back gives nothing. */
  rise({ perSecond, max }: Flow, nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1_000;
    this.#atMs = nowMs;
    this.#perSecond = perSecond;
    this.#level = Math.min(max, this.#level + seconds * perSecond);
  }

  /** Until the level is there; 0: it is. */
  secondsUntil(level: number): number {
    return Math.max(0, level - this.#level) / this.#perSecond;
  }

  take(count: number): void {
    this.#level -= count;
  }
}
