import type { IncomingMessage } from "node:http";
import { deadline } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import type { Limits } from "#server/limits.ts";

/** Of all bodies of this process together: taken off their sockets, and not yet asked for. */
let heldBytes = 0;

/**
 * A request's body as it comes. The socket is paused while more is waiting than the limit, so that a
 * fast sender cannot fill memory; a sender that stops is given up on.
 */
export class BodyReader implements AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  readonly #limits: Limits;
  readonly #start: () => void;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #receivedBytes = 0;
  #startedMs = 0;
  #started = false;
  #abandoned = false;
  #finished = false;
  #failure: S3Error | undefined;
  #wake: (() => void) | undefined;

  /** `start` is called once, before the first byte is asked for. */
  constructor(incoming: IncomingMessage, limits: Limits, start: () => void) {
    this.#incoming = incoming;
    this.#limits = limits;
    this.#start = start;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Of the body as it was framed, kept or not. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Nobody will read the rest: it is no longer kept, and does not hold up the sender. */
  abandon(): void {
    this.#abandoned = true;
    this.#queue.length = 0;
    this.#hold(-this.#queuedBytes);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#listen();
    try {
      for (;;) {
        const chunk = this.#queue.shift();
        if (chunk !== undefined) {
          this.#hold(-chunk.length);
          yield chunk;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#finished) {
          return;
        } else {
          if (this.#incoming.isPaused()) this.#incoming.resume();
          await this.#more();
        }
      }
    } finally {
      this.abandon();
    }
  }

  #listen(): void {
    if (this.#started) return;
    this.#started = true;
    this.#startedMs = performance.now();
    this.#start();
    this.#incoming.on("data", (chunk: Buffer) => this.#push(chunk));
    this.#incoming.on("end", () => {
      this.#finished = true;
      this.#wake?.();
    });
    this.#incoming.on("error", () => this.#fail(cut()));
    this.#incoming.on("close", () => {
      if (!this.#finished) this.#fail(cut());
    });
  }

  /** One byte now and then would keep an upload, and all that it holds, for ever. */
  #isTooSlow(): boolean {
    const { bodyBytesPerSecondMin, slowBodyMs } = this.#limits;
    const ageMs = performance.now() - this.#startedMs;
    return ageMs > slowBodyMs && this.#receivedBytes * 1_000 < ageMs * bodyBytesPerSecondMin;
  }

  #hold(bytes: number): void {
    this.#queuedBytes += bytes;
    heldBytes += bytes;
  }

  #push(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#isTooSlow()) this.#fail(new S3Error("RequestTimeout", {}));
    if (this.#abandoned) return;
    this.#queue.push(chunk);
    this.#hold(chunk.length);
    const { unreadBytesMax, unreadBytesTotal } = this.#limits;
    // One chunk each is always let in, so that no upload waits for another.
    if (this.#queuedBytes >= unreadBytesMax || heldBytes >= unreadBytesTotal) {
      this.#incoming.pause();
    }
    this.#wake?.();
  }

  #fail(error: S3Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #more(): Promise<void> {
    const timer = deadline(this.#limits.idleMs, () =>
      this.#fail(new S3Error("RequestTimeout", {})),
    );
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    timer.cancel();
  }
}

function cut(): S3Error {
  return new S3Error(
    "IncompleteBody",
    {},
    { message: "The connection was cut before the end of the body." },
  );
}
