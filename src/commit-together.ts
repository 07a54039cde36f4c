import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CommitterStart, FromCommitter } from "#committer.ts";
import { GARBAGE_COLLECTION } from "#garbage-collection.ts";
import { syncMs } from "#server/sync-speed.ts";

/** One that dies is started again after this long; workers commit by themselves meanwhile. */
const RESTART_MS = 500;
/** Workers have gone before: nobody is left who could keep it. */
const STOP_MS = 5_000;
/** Two workers that take turns lose less than the way to a third process costs, if a sync is faster than that. */
const SLOW_SYNC_MS = 0.4;
/** Systems allow 104 or 108, with a zero at the end. */
const SOCKET_PATH_BYTES_MAX = 100;

interface Together {
  readonly data: string;
  readonly metadata: string;
  readonly workers: number;
  readonly pretty: boolean;
  readonly log: Log;
}

/**
 * The process that commits for all workers. LMDB lets one write at a time: each worker would wait until all others
 * have had their two syncs, for a transaction that has its own changes alone. Here those of all share one.
 */
export class CommitTogether implements AsyncDisposable {
  readonly #start: CommitterStart;
  readonly #log: Log;
  #child: ChildProcess | undefined;
  #stopping = false;

  private constructor(start: CommitterStart, log: Log) {
    this.#start = start;
    this.#log = log;
  }

  /** Undefined where it is of no use, or not possible: then workers commit by themselves. */
  static async start(given: Together): Promise<CommitTogether | undefined> {
    if (!(await isWorthIt(given))) return undefined;
    const { metadata, pretty, log, data } = given;
    const together = new CommitTogether({ metadata, pretty, socket: socketPath(data) }, log);
    try {
      await together.#launch();
      return together;
    } catch (cause) {
      log.warn(`each worker commits by itself, which is slower: ${String(cause)}`);
      return undefined;
    }
  }

  get socket(): string {
    return this.#start.socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.disconnect();
    const timer = deadline(STOP_MS, () => child.kill("SIGKILL"));
    await gone;
    timer.cancel();
    rmSync(this.#start.socket, { force: true });
  }

  async #launch(): Promise<void> {
    // One that was killed has left its name.
    rmSync(this.#start.socket, { force: true });
    const execArgv = [...process.execArgv, ...GARBAGE_COLLECTION];
    const child = fork(process.argv[1] ?? "", ["committer"], { execArgv });
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code, signal) => {
        reject(new Error(`the committer ended with ${signal ?? code}`));
        this.#gone(child);
      });
      child.once("message", (message: FromCommitter) => {
        if (message.kind === "failed") {
          reject(new Error(message.message));
          return;
        }
        this.#child = child;
        resolve();
      });
      const start: CommitterStart = this.#start;
      // One that has just died hears nothing, and its exit says so.
      child.send(start, () => undefined);
    });
  }

  #gone(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#replace();
  }

  #replace(): void {
    if (this.#stopping) return;
    this.#log.warn("the committer ended: a new one is started");
    deadline(RESTART_MS, () => {
      if (this.#stopping) return;
      this.#launch().catch((cause) => {
        this.#log.error("the committer could not be started", cause);
        this.#replace();
      });
    });
  }
}

/** Measured with 64 writers: three workers are faster together on any disk, two on one that takes its time. */
async function isWorthIt({ workers, data }: Together): Promise<boolean> {
  if (workers < 2) return false;
  // A full disk tells nothing, and is served all the same.
  return workers > 2 || (await syncMs(data).catch(() => Infinity)) > SLOW_SYNC_MS;
}

function socketPath(data: string): string {
  const path = join(data, "commit.sock");
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  return join(mkdtempSync(join(tmpdir(), "lode-")), "commit.sock");
}
