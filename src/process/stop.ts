import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Running } from "#job/running.ts";
import { endProcess } from "#process/end-process.ts";
import { DRAIN_MS } from "#process/worker.ts";

/** Workers that were cut off are gone this much later. */
const GONE_MS = 1_000;
/** For what follows the drain: together less than the 40 seconds that service managers are told to wait. */
const LAST_MS = 5_000;

interface Stopping {
  readonly log: Log;
  readonly running: Running;
  /** What goes on, and was told to end. */
  readonly drained: Promise<unknown>;
  /** What is to be done when it has ended, or its time is over. */
  readonly last: () => Promise<void>;
}

/**
 * Resolves when all of it has come to its end. What does not in its time, since a disk or a volume does not answer,
 * is named, and this process ends without it: of what is stored nothing is lost by that.
 */
export async function stop({ log, running, drained, last }: Stopping): Promise<void> {
  const cutShort = async (): Promise<never> => {
    const names = running.names.join(", ");
    log.warn(`the time to stop is over, and this is left as it is: ${names || "the stores"}`);
    await log.flush();
    return endProcess(0);
  };
  // Of closing the stores too, which comes after it.
  deadline(DRAIN_MS + GONE_MS + LAST_MS, () => {
    cutShort().catch(() => undefined);
  });
  const late = new Promise<void>((resolve) => {
    deadline(DRAIN_MS + GONE_MS, resolve);
  });
  await Promise.race([drained, late]);
  const left = running.names.length;
  await last();
  if (left > 0) await cutShort();
  await log.flush();
}
