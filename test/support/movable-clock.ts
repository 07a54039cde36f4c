import type { Clock } from "#base/clock.ts";

/** A clock that stands still until it is moved. */
export class MovableClock implements Clock {
  #nowMs: number;
  readonly now = (): number => this.#nowMs;
  readonly sleep = async (): Promise<void> => {};

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  move(ms: number): void {
    this.#nowMs += ms;
  }
}
