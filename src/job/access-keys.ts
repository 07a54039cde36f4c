import type { Clock } from "#base/clock.ts";
import type { StorageError } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import type { AccessKeys } from "#catalog/access-keys.ts";

export interface AccessKeysJob {
  readonly keys: AccessKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const IDLE_MS = 3_600_000;
const PAGE = 500;

/**
 * Forgets keys that ended a day ago or longer, once an hour until the signal. Workloads of elsewhere get
 * one for each run, and nobody deletes those.
 */
export async function runAccessKeys({ keys, clock, log, signal }: AccessKeysJob): Promise<void> {
  const failed = (cause: StorageError) => {
    log.error("an access key cannot be read, and is not forgotten", cause);
  };
  while (!signal.aborted) {
    try {
      let after: string | undefined = "";
      while (after !== undefined && !signal.aborted) {
        after = await keys.sweep({ after, limit: PAGE, failed });
        // What is at hand is read without waiting for anything: others have their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (cause) {
      log.error("access keys that ended could not be forgotten; it will be tried again", cause);
    }
    await clock.sleep(IDLE_MS, signal).catch(() => undefined);
  }
}
