import { cpuUsOf, type Memory, memoryOf } from "./process-tree.ts";

const SAMPLE_MS = 200;

export interface Usage {
  readonly cpuUs: number;
  /** The largest seen, not the sum of each worker's largest. */
  readonly memoryMax: Memory;
}

/** Watches a server's processes from its making to its disposal; without a process, nothing. */
export class Meter implements Disposable {
  readonly #pid: number | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #cpuBeforeUs: number = 0;
  #memoryMax: Memory = { rssBytes: 0, anonBytes: 0 };

  constructor(pid: number | undefined) {
    this.#pid = pid;
    if (pid === undefined) return;
    this.#sample(pid);
    this.#timer = setInterval(() => this.#sample(pid), SAMPLE_MS);
    this.#cpuBeforeUs = cpuUsOf(pid);
  }

  usage(): Usage | undefined {
    if (this.#pid === undefined) return undefined;
    const cpuUs = cpuUsOf(this.#pid) - this.#cpuBeforeUs;
    this.#sample(this.#pid);
    return { cpuUs, memoryMax: this.#memoryMax };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(pid: number): void {
    const now = memoryOf(pid);
    this.#memoryMax = {
      rssBytes: Math.max(this.#memoryMax.rssBytes, now.rssBytes),
      anonBytes: Math.max(this.#memoryMax.anonBytes, now.anonBytes),
    };
  }
}
