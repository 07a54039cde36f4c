/** The only place that reads the time or waits, so that any test can be replayed. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const timer = setTimeout(done, ms);
      timer.unref();
      signal?.addEventListener("abort", stop, { once: true });
      function done(): void {
        signal?.removeEventListener("abort", stop);
        resolve();
      }
      function stop(): void {
        clearTimeout(timer);
        reject(signal?.reason);
      }
    }),
};

/** A clock that is set while work goes on makes it look as if it took hours. */
const REST_MS_MAX = 1_000;

/** How long to rest after work that took so long, so that others come first: as long, within bounds. */
export function restAfter(tookMs: number, leastMs: number): number {
  return Math.max(leastMs, Math.min(tookMs, REST_MS_MAX));
}

/** Calls `late` once when `ms` pass before `cancel`; for waits on sockets, which are no promises. */
export function deadline(ms: number, late: () => void): { readonly cancel: () => void } {
  const timer = setTimeout(late, ms);
  timer.unref();
  return { cancel: () => clearTimeout(timer) };
}

/** Keeps the process from ending, which a wait alone does not, until it is disposed of. */
export function keepAlive(): Disposable {
  const timer = setInterval(() => undefined, LONG_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const LONG_MS = 60 * 60 * 1_000;
