import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { processTree } from "./process-tree.ts";

const READY_MS_MAX = 60_000;
const DRAIN_MS_MAX = 30_000;
const STDERR_CHARS_KEPT = 4000;

const running = new Set<ChildProcess>();

export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A server that the benchmark started with Node, and ends. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** Where its metrics are; undefined for a baseline. */
  readonly adminPort: number | undefined;
  /** From the start of the process to its ready line. */
  readonly readyMs: number;

  private constructor(child: ChildProcess, pid: number, ready: Ready) {
    this.#child = child;
    this.pid = pid;
    this.port = ready.port;
    this.adminPort = ready.adminPort;
    this.readyMs = ready.readyMs;
  }

  /** Resolves when the server has printed `ready s3=http://HOST:PORT …`. */
  static async start(command: Command): Promise<ServerProcess> {
    const begin = performance.now();
    const child = spawn(process.execPath, command.args, {
      env: { ...ownEnvironment(), ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-STDERR_CHARS_KEPT);
    });
    child.once("exit", (code, signal) => {
      running.delete(child);
      if (code !== 0) process.stderr.write(`a server ended with ${code ?? signal}\n${complaint}\n`);
    });
    const ports = await readyPorts(child);
    if (child.pid === undefined) throw new Error("the server has no process");
    const readyMs = performance.now() - begin;
    return new ServerProcess(child, child.pid, { ...ports, readyMs });
  }

  /** Asks the server to drain and waits; one that does not end is killed with its workers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => killTree(this.#child), DRAIN_MS_MAX);
    await exit;
    clearTimeout(timer);
  }

  /** For an interrupted benchmark, which cannot wait. */
  static stopAllNow(): void {
    for (const child of running) killTree(child);
  }
}

/** Workers first: they would otherwise become nobody's children and be missed. */
function killTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  for (const pid of processTree(child.pid).reverse()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself in the meantime.
    }
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

interface Ready {
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly readyMs: number;
}

function readyPorts(child: ChildProcess): Promise<Omit<Ready, "readyMs">> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      killTree(child);
      reject(new Error(`the server ${why}`));
    };
    const timer = setTimeout(() => fail("was not ready in time"), READY_MS_MAX);
    child.once("exit", () => {
      clearTimeout(timer);
      fail("ended before it was ready");
    });
    if (child.stdout === null) return;
    // The reader stays for the server's whole life: an unread pipe would stop it one day.
    createInterface(child.stdout).on("line", (line) => {
      const found = /^ready s3=http:\/\/[^ ]*:(\d+)(?: admin=http:\/\/[^ ]*:(\d+))?/.exec(line);
      if (found === null) return;
      clearTimeout(timer);
      const [, port, admin] = found;
      resolve({ port: Number(port), adminPort: admin === undefined ? undefined : Number(admin) });
    });
  });
}
