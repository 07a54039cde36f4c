import { Connection, type WireRequest } from "../client/connection.ts";
import type { Reply } from "../client/reply-reader.ts";
import { Histogram } from "./histogram.ts";
import type { Job, LoadResult } from "./job.ts";
import { wireRequests } from "./wire.ts";

/** A round that has not ended so long after its time is an error, not a longer measurement. */
const OVERTIME_MS = 180_000;

/** A closed loop on each connection: the next request starts when the reply before it is whole. */
export class Load {
  readonly #job: Job;
  readonly #requests: readonly WireRequest[];
  readonly #connections: readonly Connection[];
  readonly #histogram = new Histogram();
  #started = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #ops = 0;
  #bytes = 0;
  #errors = 0;
  #errorSample: string | undefined;

  constructor(job: Job) {
    this.#job = job;
    this.#requests = wireRequests(job);
    this.#connections = Array.from(
      { length: job.connections },
      () => new Connection({ host: job.endpoint.host, port: job.endpoint.port }),
    );
  }

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open()));
  }

  async run(): Promise<LoadResult> {
    const cpuBefore = process.cpuUsage();
    const begin = performance.now();
    const { seconds } = this.#job;
    if (seconds !== undefined) this.#deadline = begin + seconds * 1000;
    const watchdog = setTimeout(() => this.#giveUp(), (seconds ?? 600) * 1000 + OVERTIME_MS);
    await Promise.all(
      this.#connections.map((connection, index) => this.#loop(connection, this.#source(index))),
    );
    clearTimeout(watchdog);
    const elapsed = (performance.now() - begin) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    for (const connection of this.#connections) connection.close();
    return {
      ops: this.#ops,
      bytes: this.#bytes,
      seconds: elapsed,
      cpuUs: cpu.user + cpu.system,
      errors: this.#errors,
      errorSample: this.#errorSample,
      histogram: this.#histogram.data(),
    };
  }

  /** Where a connection takes its next request from: a common queue, or its own pair of names. */
  #source(connection: number): () => WireRequest | undefined {
    const requests = this.#requests;
    if (this.#job.kind === "rename") {
      let turn = 0;
      return () => requests[connection * 2 + (turn++ % 2)];
    }
    const isOnce = this.#job.seconds === undefined;
    return () => {
      const index = this.#started;
      return isOnce ? requests[index] : requests[index % requests.length];
    };
  }

  #loop(connection: Connection, source: () => WireRequest | undefined): Promise<void> {
    const opsMax = this.#job.opsMax ?? Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      const step = (): void => {
        const begin = performance.now();
        const request = begin < this.#deadline && this.#started < opsMax ? source() : undefined;
        if (request === undefined) {
          resolve();
          return;
        }
        this.#started += 1;
        connection.start(request, (outcome) => {
          this.#histogram.record((performance.now() - begin) * 1000);
          this.#count(outcome);
          if (connection.isOpen) step();
          else this.#reopen(connection, outcome).then(step, resolve);
        });
      };
      step();
    });
  }

  #count(outcome: Reply | Error): void {
    this.#ops += 1;
    if (outcome instanceof Error) {
      this.#fail(outcome.message);
      return;
    }
    const { status, bodyBytes, body } = outcome;
    const { kind, sizeBytes } = this.#job;
    if (status < 200 || status > 299) this.#fail(`${status} ${body.slice(0, 300)}`);
    else if (kind === "get" && bodyBytes !== sizeBytes) {
      this.#fail(`a body of ${bodyBytes} bytes instead of ${sizeBytes}`);
    } else if (kind === "list" && bodyBytes < sizeBytes) {
      this.#fail(`a page of ${bodyBytes} bytes, less than ${sizeBytes}`);
    } else if (kind === "get" || kind === "put") this.#bytes += sizeBytes;
  }

  #fail(sample: string): void {
    this.#errors += 1;
    this.#errorSample ??= sample;
  }

  /** A server may end a connection after a good reply; after a broken one the connection stops. */
  async #reopen(connection: Connection, outcome: Reply | Error): Promise<void> {
    if (outcome instanceof Error) throw outcome;
    await connection.open();
  }

  #giveUp(): void {
    this.#deadline = 0;
    this.#fail("the round did not end in time");
    for (const connection of this.#connections) connection.abort();
  }
}
