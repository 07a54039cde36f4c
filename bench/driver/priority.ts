import type { ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";

/**
 * Lets a process have a processor only when nobody else wants it. Hostile clients are elsewhere when they are
 * real: on this machine they would take from the server, and from those who behave, what is none of theirs.
 */
export function yieldProcessor({ pid }: ChildProcess): void {
  if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
}
