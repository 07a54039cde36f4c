import type { Clock } from "#base/clock.ts";

export interface PaceOptions {
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  /**
   * After work it rests for so many times as long as the work took, so that where disk or processor are busy
   * others come first; 0 when absent: the rate alone bounds it.
   */
  readonly restTimes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A shorter rest than this is saved up, and no more than this is made up for later. */
const REST_MS_MIN = 20;
/** Of the rest after work: a clock that is set while work goes on makes it look as if it took hours. */
const REST_MS_MAX = 1_000;

/** Keeps work to a rate. Time that was lost is lost: nothing is made up for by haste. */
export class Pace {
  readonly #options: PaceOptions;
  /** When all that was done until now is paid for. */
  #dueMs: number;
  /** When the last rest ended. */
  #wokeMs: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#dueMs = options.clock.now();
    this.#wokeMs = this.#dueMs;
  }

  /** Rests as long as it takes until so many more bytes are within the rate. Fails: as the signal. */
  async spend(bytes: number): Promise<void> {
    const { clock, bytesPerSecond, restTimes = 0, signal } = this.#options;
    signal?.throwIfAborted();
    const nowMs = clock.now();
    // Neither a disk that was slow nor a clock that was set, either way, changes what comes next by more.
    const fromMs = Math.min(Math.max(this.#dueMs, nowMs - REST_MS_MIN), nowMs + REST_MS_MIN);
    this.#dueMs = fromMs + (bytes / bytesPerSecond) * 1_000;
    const workedMs = Math.max(0, nowMs - this.#wokeMs);
    const restMs = Math.max(this.#dueMs - nowMs, Math.min(workedMs * restTimes, REST_MS_MAX));
    if (restMs <= REST_MS_MIN) return;
    await clock.sleep(restMs, signal);
    this.#wokeMs = clock.now();
  }
}
