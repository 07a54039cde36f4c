import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** What a figure means nothing without. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  /** File system of the data directory. */
  readonly disk: string;
  readonly commit?: string | undefined;
}

export function machineFacts(directory: string): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    disk: diskOf(directory),
    commit: commitOf(fileURLToPath(new URL(".", import.meta.url))),
  };
}

/** The mount with the longest path that holds the directory, as `ext4 on /dev/vda`. */
function diskOf(directory: string): string {
  try {
    const mounts = readFileSync("/proc/mounts", "utf8").trim().split("\n");
    const holding = mounts
      .map((line) => line.split(" "))
      .filter(([, path = ""]) => `${directory}/`.startsWith(path === "/" ? "/" : `${path}/`))
      .sort(([, a = ""], [, b = ""]) => b.length - a.length);
    const [device, , type] = holding[0] ?? [];
    return type === undefined ? "unknown" : `${type} on ${device}`;
  } catch {
    return "unknown";
  }
}

function commitOf(directory: string): string | undefined {
  try {
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: directory,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}
