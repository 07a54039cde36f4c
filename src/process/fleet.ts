import cluster, { type Worker } from "node:cluster";
import type { FiledRecord } from "#audit/record.ts";
import { deadline, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import { type Config, ConfigError } from "#config.ts";
import { GARBAGE_COLLECTION } from "#process/garbage-collection.ts";
import { DRAIN_MS, type FromWorker, type ToWorker, type WorkerStart } from "#process/worker.ts";
import { closeHandedOver } from "#server/handed-over.ts";

/** A worker that dies is started again after this long. */
const RESTART_MS = 500;
const METRICS_MS = 2_000;

interface Reported {
  readonly metrics: unknown;
  readonly oldestMs: number;
}

/** The worker processes: as many as asked for, at all times. */
export class Fleet {
  readonly #start: WorkerStart;
  readonly #log: Log;
  readonly #audited: (filed: FiledRecord) => void;
  readonly #ready = new Set<Worker>();
  readonly #answers = new Map<number, (reported: Reported) => void>();
  #questions = 0;
  #stopping = false;

  /** `audited` is told of records of the control plane, by workers. */
  constructor(start: WorkerStart, log: Log, audited: (filed: FiledRecord) => void) {
    this.#start = start;
    this.#log = log;
    this.#audited = audited;
    const execArgv = [...process.execArgv, ...GARBAGE_COLLECTION];
    cluster.setupPrimary({ exec: process.argv[1] ?? "", args: ["worker"], execArgv });
  }

  get isWhole(): boolean {
    return !this.#stopping && this.#ready.size === this.#start.config.workers;
  }

  /** Resolves to the port when every worker serves. Fails when one cannot; not at all after a drain. */
  async start(): Promise<number> {
    const { workers } = this.#start.config;
    const launched = Promise.all(Array.from({ length: workers }, () => this.#launch()));
    const ports = await launched.catch(async (cause) => {
      if (this.#stopping) await new Promise(() => undefined);
      throw cause;
    });
    cluster.on("exit", (worker) => this.#gone(worker));
    // Those that served, and ended while others still began.
    for (const worker of this.#ready) if (worker.isDead()) this.#gone(worker);
    return ports[0] ?? this.#start.config.listen.port;
  }

  async drain(): Promise<void> {
    this.#stopping = true;
    const known = Object.values(cluster.workers ?? {}).flatMap((worker) => worker ?? []);
    // One that has just ended is still among them, and ends no second time.
    const workers = known.filter((worker) => !worker.isDead());
    const gone = workers.map(ended);
    for (const worker of workers) tell(worker, { kind: "drain" });
    const timer = deadline(DRAIN_MS, () => {
      this.#log.warn("requests still run after the time to drain: they are cut off");
      for (const worker of workers) worker.process.kill("SIGKILL");
    });
    await Promise.all(gone);
    timer.cancel();
  }

  /** Resolves when all that workers have told until now is heard, but of one that is too busy to answer. */
  async settled(): Promise<void> {
    await this.#ask();
  }

  async metrics(): Promise<unknown[]> {
    return (await this.#ask()).map(({ metrics }) => metrics);
  }

  /** When the oldest request began that any worker still answers. */
  async oldestMs(): Promise<number> {
    const expected = this.#ready.size;
    const reports = await this.#ask();
    // A worker too busy to answer may be reading anything.
    if (reports.length < expected) return 0;
    return Math.min(...reports.map(({ oldestMs }) => oldestMs), systemClock.now());
  }

  async #ask(): Promise<Reported[]> {
    const asked = [...this.#ready].map(async (worker): Promise<Reported | undefined> => {
      this.#questions += 1;
      const id = this.#questions;
      const answer = new Promise<Reported | undefined>((resolve) => {
        this.#answers.set(id, resolve);
        deadline(METRICS_MS, () => resolve(undefined));
      });
      tell(worker, { kind: "metrics", id });
      const reported = await answer;
      this.#answers.delete(id);
      return reported;
    });
    return (await Promise.all(asked)).flatMap((reported) => reported ?? []);
  }

  async #launch(): Promise<number> {
    const worker = forked();
    closeHandedOver(worker);
    return await new Promise((resolve, reject) => {
      worker.once("exit", (code) =>
        reject(new Error(`a worker ended with ${code} before it served`)),
      );
      worker.on("message", (message: FromWorker) => {
        if (message.kind === "hello") tell(worker, this.#firstWord());
        if (message.kind === "audit") this.#audited(message.filed);
        if (message.kind === "metrics") this.#answers.get(message.id)?.(message);
        if (message.kind === "failed") reject(startFailure(message.message, this.#start.config));
        if (message.kind === "ready") {
          this.#ready.add(worker);
          resolve(message.port);
        }
      });
    });
  }

  /** To one that listens now: what it was told before, it has not heard. */
  #firstWord(): ToWorker {
    return this.#stopping ? { kind: "drain" } : { kind: "start", start: this.#start };
  }

  #gone(worker: Worker): void {
    this.#ready.delete(worker);
    if (this.#stopping) return;
    const { exitCode, signalCode } = worker.process;
    this.#log.warn(
      `worker ${worker.process.pid} ended (${signalCode ?? exitCode}): a new one is started`,
    );
    this.#replace();
  }

  #replace(): void {
    deadline(RESTART_MS, () => {
      if (this.#stopping) return;
      this.#launch().catch((cause) => {
        this.#log.error("a worker could not be started", cause);
        // One that was there exits when it fails, and its exit asks for the next one.
        if (cause instanceof NoProcess) this.#replace();
      });
    });
  }
}

/** The system has no room for one more, or no descriptors. */
class NoProcess extends Error {
  override readonly name = "NoProcess";
}

/** Fails: NoProcess. */
function forked(): Worker {
  let worker: Worker;
  try {
    worker = cluster.fork();
  } catch (cause) {
    throw new NoProcess("the system starts no process", { cause });
  }
  // Else it ends this process when there is none, or when node:cluster has something to tell one that has just died.
  worker.on("error", () => undefined);
  if (worker.process.pid !== undefined) return worker;
  delete cluster.workers?.[worker.id];
  throw new NoProcess("the system starts no process");
}

/** Resolves when the worker is gone, and its last word is heard: that may come after its end. */
async function ended(worker: Worker): Promise<void> {
  const exit = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const silent = worker.isConnected()
    ? new Promise<void>((resolve) => worker.once("disconnect", () => resolve()))
    : undefined;
  await Promise.all([exit, silent]);
}

/** One that has just died hears nothing, and its exit says so; without a callback it would end us. */
function tell(worker: Worker, message: ToWorker): void {
  worker.send(message, () => undefined);
}

function startFailure(message: string, { listen: { host, port } }: Config): Error {
  const aboutAddress = /EADDRINUSE|EADDRNOTAVAIL|EACCES|ENOTFOUND|EAI_AGAIN/.test(message);
  if (!aboutAddress) {
    return new StorageError("unavailable", message);
  }
  return new ConfigError(
    `--listen ${host}:${port}: ${message}. Choose another address with --listen.`,
  );
}
