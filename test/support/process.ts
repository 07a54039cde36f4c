/** Processes of the system: how they are started, what they say, what they hold. Linux only below `/proc`. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { TestContext } from "node:test";

export const ROOT_KEY = {
  accessKeyId: "LODETESTACCESSKEY000",
  secret: "lode-test-secret-0123456789",
};

const REPOSITORY = new URL("../..", import.meta.url);
/** Bounds a process that hangs; no test waits for it to pass. */
const HANGS_AFTER_MS = 60_000;

export interface Run {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** All of its environment but PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process under way. It ends with the test. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has written to standard output so far. */
  readonly stdout: () => string;
  /** Resolves to the match when standard output has it. Fails: Error when the process ends first. */
  readonly prints: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** The command line of `lode serve` on free ports; further settings override what stands before. */
export function serveCommand(data: string, ...settings: readonly string[]): string[] {
  const ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const own = ["--data", data, "--workers", "1", ...ports];
  return [process.execPath, "bin/lode", "serve", ...own, ...settings];
}

export const ROOT_ENVIRONMENT = {
  LODE_ROOT_ACCESS_KEY_ID: ROOT_KEY.accessKeyId,
  LODE_ROOT_SECRET_ACCESS_KEY: ROOT_KEY.secret,
};

export function start(t: TestContext, { command, environment = {} }: Run): Running {
  const { PATH = "", HOME = "" } = process.env;
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: REPOSITORY,
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    // The leader of a group of its own, so that what it starts ends with it.
    detached: true,
  });
  const stdout = new Text(child);
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const hung = setTimeout(() => killGroup(child), HANGS_AFTER_MS);
  const ended = once(child, "close").then(() => {
    clearTimeout(hung);
    return { code: child.exitCode ?? -1, stdout: stdout.text, stderr };
  });
  t.after(async () => {
    killGroup(child);
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    stdout: () => stdout.text,
    prints: async (pattern) => {
      const found = await stdout.find(pattern);
      if (found === null) throw new Error(`it ended before it printed ${pattern}:\n${stderr}`);
      return found;
    },
    signal: (name) => child.kill(name),
  };
}

/** Runs a process to its end. */
export async function run(t: TestContext, given: Run): Promise<Ended> {
  return await start(t, given).ended;
}

/** The process and all that it started, and they in turn. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** Of a server's processes those that speak S3, the oldest first. */
export function workersOf(pid: number): readonly number[] {
  return processTree(pid).filter((each) => commandOf(each).includes("worker"));
}

/** The process that commits for all workers, where there is one. */
export function committerOf(pid: number): number | undefined {
  return processTree(pid).find((each) => commandOf(each).includes("committer"));
}

/** Empty when it has ended meanwhile. */
function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Bytes of memory that are theirs: a page that n processes share counts one n-th in each. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + proportionalBytes(pid), 0);
}

class Text {
  text = "";
  #over = false;
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.text += chunk.toString();
      this.#wake();
    });
    child.once("close", () => {
      this.#over = true;
      this.#wake();
    });
  }

  async find(pattern: RegExp): Promise<RegExpExecArray | null> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null || this.#over) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  // After the name, which may hold anything but ends with the last ")": state, parent.
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ");
  return fields?.[1] === undefined ? undefined : Number(fields[1]);
}

function proportionalBytes(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kibibytes ?? 0) * 1_024;
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}
