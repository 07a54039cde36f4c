import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** Linux counts processor time for user space in hundredths of a second, on every architecture. */
const TICK_US = 10_000;
const KIB = 1024;

export interface Memory {
  readonly rssBytes: number;
  /** Without mapped files, which every worker's resident set counts again. */
  readonly anonBytes: number;
}

/** A process and all that descend from it. Empty where there is no /proc. */
export function processTree(pid: number): number[] {
  const tasks = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  if (tasks.length === 0) return [];
  const children = tasks.flatMap((task) => {
    const text = attempt(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")) ?? "";
    return text.split(" ").filter((part) => part.trim() !== "");
  });
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** Processor time of a tree so far, children that have ended included. */
export function cpuUsOf(pid: number): number {
  return processTree(pid)
    .map((member) => {
      const stat = attempt(() => readFileSync(`/proc/${member}/stat`, "utf8")) ?? "";
      // The second field is the program's name, in parentheses, and may hold spaces.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields
        .slice(11, 15)
        .map(Number);
      return (user + system + childUser + childSystem) * TICK_US;
    })
    .reduce((total, us) => total + us, 0);
}

export function memoryOf(pid: number): Memory {
  const members = processTree(pid).map((member) => {
    const status = attempt(() => readFileSync(`/proc/${member}/status`, "utf8")) ?? "";
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) * KIB;
    return { rssBytes: field("VmRSS"), anonBytes: field("RssAnon") };
  });
  return members.reduce(
    (sum, { rssBytes, anonBytes }) => ({
      rssBytes: sum.rssBytes + rssBytes,
      anonBytes: sum.anonBytes + anonBytes,
    }),
    { rssBytes: 0, anonBytes: 0 },
  );
}

/** Pages that several processes share count once in all: PSS, as the kernel adds it up. Takes milliseconds. */
export function proportionalBytesOf(pid: number): number {
  return processTree(pid)
    .map((member) => {
      const text = attempt(() => readFileSync(`/proc/${member}/smaps_rollup`, "utf8")) ?? "";
      return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * KIB;
    })
    .reduce((total, bytes) => total + bytes, 0);
}

export interface Descriptors {
  /** Of blob directories: each worker keeps those open that it has synced, 256 of them at the most. */
  readonly blobDirectories: number;
  /** Sockets, files, pipes and all else. */
  readonly others: number;
}

const BLOB_DIRECTORY = /\/blobs\/[0-9a-f]{2}$/;

/** What a tree has open. */
export function descriptorsOf(pid: number): Descriptors {
  const targets = processTree(pid).flatMap((member) => {
    const directory = `/proc/${member}/fd`;
    const numbers = attempt(() => readdirSync(directory)) ?? [];
    return numbers.flatMap((number) => attempt(() => readlinkSync(`${directory}/${number}`)) ?? []);
  });
  const blobDirectories = targets.filter((target) => BLOB_DIRECTORY.test(target)).length;
  return { blobDirectories, others: targets.length - blobDirectories };
}

/**
 * How many descriptors a tree has open. Costs next to nothing, however many they are.
 *
 * Spec: https://www.kernel.org/doc/html/latest/filesystems/proc.html (since Linux 6.2, `/proc/PID/fd` tells their number as its size)
 */
export function openFilesOf(pid: number): number {
  return processTree(pid)
    .map((member) => {
      const directory = `/proc/${member}/fd`;
      const told = attempt(() => statSync(directory).size) ?? 0;
      return told > 0 ? told : (attempt(() => readdirSync(directory).length) ?? 0);
    })
    .reduce((total, count) => total + count, 0);
}

/** A process may end between two looks at it. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
