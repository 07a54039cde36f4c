import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { endProcess } from "#process/end-process.ts";

/** So long the answers that tell of it have to go out. */
const LAST_MS = 200;

const WHY = {
  1: "this process ends, so that another takes its place",
  2: "this process ends, and one that is started in its place would find nothing of what is stored",
} as const;

/**
 * For a store that this process can use no more: it ends, and whoever started it starts one that may. 2: whoever
 * started it must not, before somebody has looked.
 */
export function endSoon(log: Log, code: keyof typeof WHY = 1): (cause: unknown) => void {
  return (cause) => {
    log.error(WHY[code], cause);
    deadline(LAST_MS, () => endProcess(code));
    return log.flush();
  };
}
