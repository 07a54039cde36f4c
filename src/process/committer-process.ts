import { type ChildProcess, fork } from "node:child_process";
import { deadline } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { CommitterStart, FromCommitter, ToCommitter } from "#process/committer.ts";
import { GARBAGE_COLLECTION } from "#process/garbage-collection.ts";

/** It is asked so often whether it lives; a slow disk does not keep it from answering. */
const PING_MS = 2_500;
/** So many times it may be silent: all writes wait for it. */
const SILENCES_MAX = 4;
/** Workers have gone before: nobody is left who could keep it. */
const STOP_MS = 5_000;

/** The committer, seen from the supervisor. */
export class CommitterProcess {
  readonly #child: ChildProcess;
  readonly #log: Log;
  /** Resolves to how it ended. */
  readonly #ended: Promise<string>;
  #hasEnded = false;
  #silences = 0;

  private constructor(child: ChildProcess, log: Log) {
    this.#child = child;
    this.#log = log;
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#hasEnded = true;
        resolve(String(signal ?? code));
      });
      // The system had no room for one more process: else this would end ours.
      child.on("error", (cause) => {
        if (child.pid !== undefined) return;
        this.#hasEnded = true;
        resolve(cause.message);
      });
    });
  }

  /** Resolves when workers can find it; `gone` is told how it ended later. Fails when it cannot serve. */
  static async start(
    start: CommitterStart,
    { log, gone }: { readonly log: Log; readonly gone: (how: string) => void },
  ): Promise<CommitterProcess> {
    const execArgv = [...process.execArgv, ...GARBAGE_COLLECTION];
    const child = fork(process.argv[1] ?? "", ["committer"], { execArgv });
    const started = new CommitterProcess(child, log);
    const ready = new Promise<void>((resolve, reject) => {
      child.on("message", (message: FromCommitter) => {
        if (message.kind === "pong") started.#silences = 0;
        else if (message.kind === "failed") reject(new Error(message.message));
        else resolve();
      });
    });
    started.#tell({ kind: "start", start });
    const early = started.#ended.then((how) => {
      throw new Error(`the committer ended with ${how}`);
    });
    await Promise.race([ready, early]);
    early.catch(({ message }: Error) => gone(message));
    started.#watch();
    return started;
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    if (this.#child.connected) this.#child.disconnect();
    const timer = deadline(STOP_MS, () => this.#child.kill("SIGKILL"));
    await this.#ended;
    timer.cancel();
  }

  /** Ends one that hangs, so that workers can go on by themselves. */
  #watch(): void {
    deadline(PING_MS, () => {
      if (this.#hasEnded) return;
      if (this.#silences >= SILENCES_MAX) {
        this.#log.warn("the committer does not answer any more: it is ended");
        this.#child.kill("SIGKILL");
        return;
      }
      this.#silences += 1;
      this.#tell({ kind: "ping" });
      this.#watch();
    });
  }

  /** One that has just died hears nothing, and its exit says so. */
  #tell(message: ToCommitter): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
