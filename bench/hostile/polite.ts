import { setTimeout } from "node:timers/promises";
import { Connection } from "../client/connection.ts";
import type { Reply } from "../client/reply-reader.ts";
import type { Endpoint } from "../client/session.ts";
import { Histogram, type HistogramData } from "../driver/histogram.ts";
import { SMALL_KEY, signerFor } from "./attacks.ts";

const CONNECTIONS = 8;
const SMALL_BYTES = 1024;

export interface Served {
  readonly requests: number;
  readonly seconds: number;
  readonly histogram: HistogramData;
  readonly errors: number;
  readonly errorSample: string | undefined;
}

/**
 * Clients that behave: reads of a small object at a fixed rate. One that had to wait for the answer before it is
 * counted from the moment at which it was due, so that a server that stands still is not asked less; others
 * from when they were sent, for it is not the server that lets our own timer come late.
 */
export class Polite {
  readonly #connections: readonly Connection[];
  readonly #request: Buffer;
  readonly #everyMs: number;
  readonly #histogram = new Histogram();
  readonly #beganMs = performance.now();
  #running: Promise<unknown> | undefined;
  #isOver = false;
  #requests = 0;
  #errors = 0;
  #errorSample: string | undefined;

  constructor(on: {
    readonly endpoint: Endpoint;
    readonly bucket: string;
    readonly perSecond: number;
  }) {
    const { host, port } = on.endpoint;
    this.#connections = Array.from({ length: CONNECTIONS }, () => new Connection({ host, port }));
    const head = signerFor(on.endpoint, on.bucket)({ method: "GET", key: SMALL_KEY });
    this.#request = Buffer.from(head, "latin1");
    this.#everyMs = (CONNECTIONS * 1000) / on.perSecond;
  }

  async open(): Promise<void> {
    for (const connection of this.#connections) await connection.open();
    this.#running = Promise.all(
      this.#connections.map((connection, index) =>
        this.#lane(connection, performance.now() + (index * this.#everyMs) / CONNECTIONS),
      ),
    );
  }

  async stop(): Promise<Served> {
    this.#isOver = true;
    await this.#running;
    for (const connection of this.#connections) connection.close();
    return {
      requests: this.#requests,
      seconds: (performance.now() - this.#beganMs) / 1000,
      histogram: this.#histogram.data(),
      errors: this.#errors,
      errorSample: this.#errorSample,
    };
  }

  async #lane(connection: Connection, firstMs: number): Promise<void> {
    for (let dueMs = firstMs; !this.#isOver; dueMs += this.#everyMs) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await setTimeout(waitMs);
      const sinceMs = waitMs > 0 ? performance.now() : dueMs;
      try {
        if (!connection.isOpen) await connection.open();
        this.#check(await connection.exchange({ head: this.#request }));
      } catch (error) {
        connection.close();
        this.#fail(error instanceof Error ? error.message : String(error));
      }
      this.#requests += 1;
      this.#histogram.record((performance.now() - sinceMs) * 1000);
    }
  }

  #check({ status, bodyBytes }: Reply): void {
    if (status !== 200 || bodyBytes !== SMALL_BYTES) this.#fail(`${status}, ${bodyBytes} bytes`);
  }

  #fail(what: string): void {
    this.#errors += 1;
    this.#errorSample ??= what;
  }
}
