import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { processTree } from "./process-tree.ts";

const READY_MS_MAX = 60_000;
const DRAIN_MS_MAX = 30_000;
const STDERR_CHARS_KEPT = 4000;

const running = new Set<ServerProcess>();

export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A server that the benchmark started with Node, and ends. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;

  private constructor(child: ChildProcess, facts: { pid: number; port: number; readyMs: number }) {
    this.#child = child;
    this.pid = facts.pid;
    this.port = facts.port;
    this.readyMs = facts.readyMs;
    running.add(this);
  }

  /** Resolves when the server has printed `ready s3=http://HOST:PORT …`. */
  static async start(command: Command): Promise<ServerProcess> {
    const begin = performance.now();
    const child = spawn(process.execPath, command.args, {
      env: { ...ownEnvironment(), ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-STDERR_CHARS_KEPT);
    });
    const port = await readyPort(child, () => complaint);
    if (child.pid === undefined) throw new Error("the server has no process");
    return new ServerProcess(child, { pid: child.pid, port, readyMs: performance.now() - begin });
  }

  /** Asks the server to drain and waits; one that does not end is killed with its workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    running.delete(this);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#kill(), DRAIN_MS_MAX);
    await exit;
    clearTimeout(timer);
  }

  #kill(): void {
    for (const pid of processTree(this.pid).reverse()) process.kill(pid, "SIGKILL");
  }

  /** For an interrupted benchmark, which cannot wait. */
  static stopAllNow(): void {
    for (const server of running) server.#kill();
  }
}

/** The caller's settings of Lode are not the benchmark's. */
function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith("LODE_") ? [] : [[name, value]],
    ),
  );
}

function readyPort(child: ChildProcess, complaint: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`the server ${why}\n${complaint()}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), READY_MS_MAX);
    child.once("exit", () => {
      clearTimeout(timer);
      fail("ended before it was ready");
    });
    if (child.stdout === null) return;
    // The reader stays for the server's whole life: an unread pipe would stop it one day.
    createInterface(child.stdout).on("line", (line) => {
      const port = /^ready s3=http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
  });
}
