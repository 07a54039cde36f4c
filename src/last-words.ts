import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";

/** So long the answers that tell of it have to go out. */
const LAST_MS = 200;

/** For a store that this process can use no more: it ends, and whoever started it starts one that may. */
export function endSoon(log: Log): (cause: unknown) => void {
  return (cause) => {
    log.error("this process ends, so that another takes its place", cause);
    log.flush();
    deadline(LAST_MS, () => process.exit(1));
  };
}
