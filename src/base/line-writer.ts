import { fstatSync, write, writeSync } from "node:fs";
import { deadline } from "#base/clock.ts";

/** What a pipe takes whole, whoever else writes to it. */
const PIPE_BYTES = 4_096;
const FILE_BYTES = 65_536;
const FLUSH_MS = 500;
/** Held while a reader is slow; then lines are dropped, and how many is told. */
const WAITING_CHARS_MAX = 8 * 2 ** 20;

/**
 * Writes many short lines to a file descriptor, many to a system call, each whole. Lines are joined
 * once, when they go: pino's own writer measures its buffer anew for every line.
 */
export class LineWriter {
  readonly #descriptor: number;
  readonly #chunkBytes: number;
  #lines: string[] = [];
  #chars = 0;
  #dropped = 0;
  #writing = false;
  #timed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.#chunkBytes = fstatSync(descriptor).isFile() ? FILE_BYTES : PIPE_BYTES;
  }

  /** `line` ends in a line feed. */
  write(line: string): void {
    if (this.#chars > WAITING_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= this.#chunkBytes) this.#send();
    else this.#sendLater();
  }

  /** Writes what is held, at once; for the end of the process. */
  flush(): void {
    for (const chunk of this.#take()) writeSync(this.#descriptor, chunk);
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

  #writeAll([chunk, ...more]: readonly Buffer[]): void {
    if (chunk === undefined) {
      this.#writing = false;
      if (this.#chars >= this.#chunkBytes) this.#send();
      return;
    }
    write(this.#descriptor, chunk, (error, written) => {
      if (error?.code === "EAGAIN") deadline(1, () => this.#writeAll([chunk, ...more]));
      // Nobody reads any more: there is nowhere to say so.
      else if (error !== null) this.#writing = false;
      else this.#writeAll(written < chunk.length ? [chunk.subarray(written), ...more] : more);
    });
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
