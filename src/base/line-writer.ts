import { fstatSync, write } from "node:fs";
import { deadline } from "#base/clock.ts";

/** What a pipe takes whole, whoever else writes to it. */
const PIPE_BYTES = 4_096;
const FILE_BYTES = 65_536;
const FLUSH_MS = 500;
/** So long the end of the process waits for a reader. */
const LAST_MS = 1_000;
/** A pipe that is full is tried again, ever more seldom. */
const FULL_MS_MAX = 128;
/** Held while a reader is slow; then lines are dropped, and how many is told. */
const WAITING_CHARS_MAX = 8 * 2 ** 20;

export interface LineWriterOptions {
  /** Each line goes at once, as a person wants it; else many together, which costs less. */
  readonly atOnce?: boolean;
}

/**
 * Writes many short lines to a file descriptor, many to a system call, each whole. Lines are joined once, when they
 * go. Whoever writes waits for nobody: lines that nobody takes are dropped, and that they were is told.
 */
export class LineWriter {
  readonly #descriptor: number;
  readonly #chunkBytes: number;
  readonly #atOnce: boolean;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;
  #writing = false;
  #timed = false;
  #flushed: PromiseWithResolvers<void> | undefined;

  constructor(descriptor: number, { atOnce = false }: LineWriterOptions = {}) {
    this.#descriptor = descriptor;
    this.#chunkBytes = fstatSync(descriptor).isFile() ? FILE_BYTES : PIPE_BYTES;
    this.#atOnce = atOnce;
  }

  /** `line` ends in a line feed. */
  write(line: string): void {
    if (this.#chars > WAITING_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#isDue()) this.#send();
    else this.#sendLater();
  }

  /** For the end of the process: resolves when all that is held is written, or when nobody takes it for a second. */
  async flush(): Promise<void> {
    this.#flushed ??= Promise.withResolvers();
    const { promise, resolve } = this.#flushed;
    this.#send();
    this.#rest();
    const timer = deadline(LAST_MS, resolve);
    await promise;
    timer.cancel();
  }

  #isDue(): boolean {
    return this.#atOnce || this.#flushed !== undefined || this.#chars >= this.#chunkBytes;
  }

  #sendLater(): void {
    if (this.#timed) return;
    this.#timed = true;
    deadline(FLUSH_MS, () => {
      this.#timed = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#writing || this.#lines.length === 0) return;
    this.#writing = true;
    this.#writeAll(this.#take());
  }

  #writeAll([chunk, ...more]: readonly Buffer[], fullMs = 1): void {
    if (chunk === undefined) {
      this.#writing = false;
      if (this.#isDue()) this.#send();
      this.#rest();
      return;
    }
    write(this.#descriptor, chunk, (error, written) => {
      if (error?.code === "EAGAIN") {
        const nextMs = Math.min(2 * fullMs, FULL_MS_MAX);
        deadline(fullMs, () => this.#writeAll([chunk, ...more], nextMs));
      } else if (error === null) {
        this.#writeAll(written < chunk.length ? [chunk.subarray(written), ...more] : more);
      } else {
        // Nobody reads any more, or the disk is full: there is nowhere to say so. What comes later is tried again.
        this.#dropped += [chunk, ...more].reduce((sum, each) => sum + linesIn(each), 0);
        this.#writing = false;
        this.#rest();
      }
    });
  }

  /** Tells who waits for it that nothing is under way. */
  #rest(): void {
    if (this.#writing) return;
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  #take(): Buffer[] {
    const chunks: Buffer[] = [];
    let text = "";
    for (const line of this.#lines) {
      if (text !== "" && text.length + line.length > this.#chunkBytes) {
        chunks.push(Buffer.from(text));
        text = "";
      }
      text += line;
    }
    if (this.#dropped > 0)
      text += `{"level":40,"msg":"log lines dropped","count":${this.#dropped}}\n`;
    if (text !== "") chunks.push(Buffer.from(text));
    this.#lines = [];
    this.#chars = 0;
    this.#dropped = 0;
    return chunks;
  }
}

function linesIn(chunk: Buffer): number {
  let lines = 0;
  for (const byte of chunk) if (byte === LINE_FEED) lines += 1;
  return lines;
}

const LINE_FEED = 0x0a;
