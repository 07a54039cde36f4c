/**
 * A whole `lode serve` in processes of its own, over a temporary data directory and free ports of
 * the loopback address, for tests of what only a real socket, process or disk shows.
 *
 *     const server = await startRealServer(t, { workers: 2 });
 *     await fetch(`${server.adminEndpoint}/health/ready`);
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { temporaryDirectory } from "#test/support/temporary.ts";

export interface RealServerOptions {
  /** 1 when absent. */
  readonly workers?: number;
  /** Files in PEM; the endpoint is then https. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
  /** A directory to serve again, after a crash or a stop; a new one when absent. */
  readonly dataDirectory?: string;
  /** Added to the little that the server is given of our own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further arguments of `lode serve`. */
  readonly flags?: readonly string[];
}

export interface RealServer {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly endpoint: string;
  readonly adminEndpoint: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly dataDirectory: string;
  readonly pid: number;
  /** Drains: SIGTERM to the process that was started. Resolves to its exit code. */
  readonly stop: () => Promise<number>;
  /** SIGKILL to it and its workers at once, as a crash of the machine would. */
  readonly kill: () => Promise<void>;
}

const ROOT = {
  accessKeyId: "LODETESTACCESSKEY000",
  secret: "lode/test+secret/0123456789abcdefABCDEF0",
};
const READY_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 60_000;

/** Started processes that have not ended, and what they wrote to standard error. */
const running = new Map<ChildProcess, () => string>();
/** Of processes that have ended: kept until it is known whether a test failed. */
const logs: string[] = [];

/**
 * Resolves when the server accepts requests. It ends with the test, or at the latest with this
 * process, which prints what the server wrote to standard error when a test failed.
 *
 * Fails: Error, when it ended or said nothing for a minute.
 */
export async function startRealServer(
  t: TestContext,
  options: RealServerOptions = {},
): Promise<RealServer> {
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory());
  const child = launch(dataDirectory, options);
  t.after(async () => {
    if (running.has(child)) assert.equal(await stop(child), 0, "the exit code after SIGTERM");
  });
  const { endpoint, adminEndpoint } = await ready(child);
  return {
    endpoint,
    adminEndpoint,
    ...ROOT,
    dataDirectory,
    pid: child.pid ?? 0,
    stop: () => stop(child),
    kill: async () => {
      await signalled(child, () => killGroup(child));
    },
  };
}

function launch(dataDirectory: string, options: RealServerOptions): ChildProcess {
  const { PATH = "", HOME = "" } = process.env;
  const flags = [
    ...["--data", dataDirectory, "--workers", String(options.workers ?? 1)],
    ...["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
    ...(options.tls === undefined
      ? []
      : ["--tls-cert", options.tls.certificateFile, "--tls-key", options.tls.keyFile]),
    ...(options.flags ?? []),
  ];
  const child = spawn(process.execPath, ["bin/lode", "serve", ...flags], {
    cwd: new URL("../..", import.meta.url),
    env: {
      PATH,
      HOME,
      LODE_ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
      LODE_ROOT_SECRET_ACCESS_KEY: ROOT.secret,
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
    // The leader of a process group of its own, so that `kill` reaches its workers too.
    detached: true,
  });
  const written: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => written.push(chunk));
  running.set(child, () => Buffer.concat(written).toString());
  child.once("close", () => {
    logs.push(running.get(child)?.() ?? "");
    running.delete(child);
  });
  return child;
}

/** Reads the line `ready s3=URL admin=URL`; what else stands on standard output is not ours. */
async function ready(child: ChildProcess): Promise<{ endpoint: string; adminEndpoint: string }> {
  const silence = setTimeout(() => killGroup(child), READY_WITHIN_MS);
  try {
    const [endpoint, adminEndpoint] = await readyLine(child);
    if (endpoint !== undefined && adminEndpoint !== undefined) return { endpoint, adminEndpoint };
  } finally {
    clearTimeout(silence);
  }
  if (running.has(child)) await once(child, "close");
  throw new Error(`lode serve ended before it was ready:\n${logs.at(-1) ?? ""}`);
}

async function readyLine(child: ChildProcess): Promise<readonly string[]> {
  if (child.stdout === null) return [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [, ...urls] = /^ready s3=(\S+) admin=(\S+)$/.exec(line) ?? [];
    if (urls.length > 0) {
      // The reader pauses the pipe when it is left; a full pipe would stop the server.
      setImmediate(() => child.stdout?.resume());
      return urls;
    }
  }
  return [];
}

async function stop(child: ChildProcess): Promise<number> {
  const late = setTimeout(() => killGroup(child), STOPPED_WITHIN_MS);
  try {
    return await signalled(child, () => child.kill("SIGTERM"));
  } finally {
    clearTimeout(late);
  }
}

/** Sends the signal and waits for the end. Resolves to the exit code, -1 when a signal ended it. */
async function signalled(child: ChildProcess, send: () => void): Promise<number> {
  if (running.has(child)) {
    const closed = once(child, "close");
    send();
    await closed;
  }
  return child.exitCode ?? -1;
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

process.on("exit", (code) => {
  for (const [child, written] of running) {
    logs.push(written());
    killGroup(child);
  }
  if (code !== 0) process.stderr.write(logs.join(""));
});
// Without a handler a signal ends this process with no "exit" event, and the servers stay.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(1));
}
