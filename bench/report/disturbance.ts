import { readFileSync } from "node:fs";
import { cpuUsOf } from "../target/process-tree.ts";

/**
 * Notes how much of the machine's processors others use from now on; the returned function gives
 * the share, 0 to 1. `pids` are the servers that this benchmark measures but did not start.
 */
export function watchOthers(pids: readonly number[]): () => number | undefined {
  const ours = (): number => [process.pid, ...pids].reduce((sum, pid) => sum + cpuUsOf(pid), 0);
  const before = { ours: ours(), all: allProcessors() };
  return () => {
    const after = allProcessors();
    if (before.all === undefined || after === undefined) return undefined;
    const busyUs = after.busyUs - before.all.busyUs;
    return Math.max(0, busyUs - (ours() - before.ours)) / (after.totalUs - before.all.totalUs);
  };
}

/** Since the machine started, over all cores, in µs; waiting for a disk counts as idle. */
function allProcessors(): { readonly busyUs: number; readonly totalUs: number } | undefined {
  try {
    const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
    const ticks = line.trim().split(/ +/).slice(1, 9).map(Number);
    const total = ticks.reduce((sum, value) => sum + value, 0);
    const [, , , idle = 0, waiting = 0] = ticks;
    return { busyUs: (total - idle - waiting) * 10_000, totalUs: total * 10_000 };
  } catch {
    return undefined;
  }
}
