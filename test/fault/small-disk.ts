import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { start } from "#test/support/process.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** A small file system that only processes see which are started through `command`. */
export interface SmallDisk {
  /** Where they see it. */
  readonly path: string;
  /** Where this process sees it. */
  readonly outside: string;
  /** The same command, run where the disk is mounted. */
  readonly command: (command: readonly string[]) => string[];
  /** Takes all space but `freeBytes`. */
  readonly fill: (freeBytes?: number) => void;
  /** Gives back what was taken. */
  readonly free: () => void;
}

/** undefined where this user may not mount. */
export async function mountSmallDisk(
  t: TestContext,
  megabytes: number,
): Promise<SmallDisk | undefined> {
  if (process.platform !== "linux") return undefined;
  const path = await temporaryDirectory();
  const script = `mount -t tmpfs -o size=${megabytes}m none "$1" && echo mounted && exec sleep 600`;
  let pid: number;
  try {
    const holder = start(t, { command: ["unshare", "-rm", "sh", "-c", script, "sh", path] });
    pid = holder.pid;
    await holder.prints(/mounted/);
  } catch {
    return undefined;
  }
  const outside = join(`/proc/${pid}/root`, path);
  const filler = join(outside, "filler");
  return {
    path,
    outside,
    command: (command) => [
      ...["nsenter", "--preserve-credentials", "-U", "-m", "-t", String(pid)],
      ...[`--wd=${process.cwd()}`, "--", ...command],
    ],
    fill: (freeBytes = 0) => fill(filler, freeBytes),
    free: () => rmSync(filler, { force: true }),
  };
}

function fill(path: string, freeBytes: number): void {
  const file = openSync(path, "a");
  let sizeBytes = 0;
  try {
    for (const step of [2 ** 20, 4_096]) {
      const bytes = randomBytes(step);
      try {
        for (;;) sizeBytes += writeSync(file, bytes);
      } catch (cause) {
        if (!isFull(cause)) throw cause;
      }
    }
    if (freeBytes > 0) ftruncateSync(file, Math.max(0, sizeBytes - freeBytes));
  } finally {
    closeSync(file);
  }
}

function isFull(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
}
