import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CommitterStart } from "#process/committer.ts";
import { CommitterProcess } from "#process/committer-process.ts";
import { SOCKET_PATH_BYTES_MAX } from "#server/socket-path.ts";
import { syncMs } from "#server/sync-speed.ts";

/** One that dies is started again after this long; workers commit by themselves meanwhile. */
const RESTART_MS = 500;
/** Two workers that take turns lose less than the way to a third process costs, if a sync is faster than that. */
const SLOW_SYNC_MS = 0.4;

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
  readonly #data: string;
  #committer: CommitterProcess | undefined;
  #stopping = false;

  private constructor(start: CommitterStart, { log, data }: Together) {
    this.#start = start;
    this.#log = log;
    this.#data = data;
  }

  /** Undefined where it is of no use, or not possible: then workers commit by themselves. */
  static async start(given: Together): Promise<CommitTogether | undefined> {
    if (!(await isWorthIt(given))) return undefined;
    const { metadata, pretty, log, data } = given;
    const together = new CommitTogether({ metadata, pretty, socket: socketPath(data) }, given);
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
    await this.#committer?.stop();
    const { socket } = this.#start;
    // With the directory that was made for it, where that of the data has too long a path.
    const isApart = dirname(socket) !== this.#data;
    rmSync(isApart ? dirname(socket) : socket, { force: true, recursive: isApart });
  }

  async #launch(): Promise<void> {
    // One that was killed has left its name.
    rmSync(this.#start.socket, { force: true });
    const gone = (how: string): void => {
      if (this.#stopping) return;
      this.#log.warn(`${how}: a new one is started`);
      this.#replace();
    };
    this.#committer = await CommitterProcess.start(this.#start, { log: this.#log, gone });
  }

  #replace(): void {
    this.#committer = undefined;
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
