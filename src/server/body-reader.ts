import { S3Error } from "#base/error.ts";
import type { Limits } from "#server/limits.ts";

/** Of all bodies of this process together: taken off their sockets, and not yet asked for. */
let heldBytes = 0;
/** What a piece costs at the least, however few bytes are in it. */
const PIECE_BYTES_MIN = 256;

type Read = IteratorResult<Uint8Array, undefined>;
const END: Read = { done: true, value: undefined };

/** What waits for a piece that has not come. */
interface Waiting {
  readonly resolve: (read: Read) => void;
  readonly reject: (cause: unknown) => void;
  readonly sinceMs: number;
}

/** What a body comes from. */
export interface Inlet {
  /** The first byte is asked for. */
  readonly start: () => void;
  /** Everything that has come is read, and more is asked for. */
  readonly more: () => void;
}

/**
 * A request's body as it comes, to be read once and by one reader. Who pushes looks at `isFull` and takes nothing
 * more off the socket then, so that a fast sender cannot fill memory; a sender that stops is given up on.
 */
export class BodyReader implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #limits: Limits;
  readonly #inlet: Inlet;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #receivedBytes = 0;
  #startedMs = 0;
  #started = false;
  #abandoned = false;
  #finished = false;
  #failure: S3Error | undefined;
  #waiting: Waiting | undefined;

  constructor(limits: Limits, inlet: Inlet) {
    this.#limits = limits;
    this.#inlet = inlet;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Of the body without its framing, kept or not. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** One piece is always let in, so that no upload waits for another; and none before it is asked for. */
  get isFull(): boolean {
    if (this.#queue.length === 0) return false;
    const { unreadBytesMax, unreadBytesTotal } = this.#limits;
    if (!this.#started) return true;
    return this.#queuedBytes >= unreadBytesMax || heldBytes >= unreadBytesTotal;
  }

  /** Nobody will read the rest: it is no longer kept, and does not hold up the sender. */
  abandon(): void {
    this.#abandoned = true;
    this.#queue.length = 0;
    this.#hold(-this.#queuedBytes);
    if (this.#waiting !== undefined) this.fail(cutBody());
  }

  push(piece: Uint8Array): void {
    this.#receivedBytes += piece.length;
    if (this.#started && this.#isTooSlow()) this.fail(new S3Error("RequestTimeout", {}));
    if (this.#abandoned || piece.length === 0) return;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: piece });
      return;
    }
    this.#queue.push(piece);
    this.#hold(costOf(piece));
  }

  /** All of it has been pushed. */
  finish(): void {
    this.#finished = true;
    this.#waiting?.resolve(END);
    this.#waiting = undefined;
  }

  /** It ends before its end, unless it has already. */
  fail(error: S3Error): void {
    if (this.#finished) return;
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }

  /** To be called now and then. */
  sweep(nowMs: number): void {
    const { sinceMs } = this.#waiting ?? { sinceMs: nowMs };
    if (nowMs - sinceMs > this.#limits.idleMs) this.fail(new S3Error("RequestTimeout", {}));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<Read> {
    if (!this.#started) this.#start();
    const piece = this.#queue.shift();
    if (piece !== undefined) {
      this.#hold(-costOf(piece));
      return Promise.resolve({ done: false, value: piece });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#finished) return Promise.resolve(END);
    // Never the end: somebody could take what was read for all of it.
    if (this.#abandoned) return Promise.reject(cutBody());
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, sinceMs: performance.now() };
      this.#inlet.more();
    });
  }

  return(): Promise<Read> {
    this.abandon();
    return Promise.resolve(END);
  }

  #start(): void {
    this.#started = true;
    this.#startedMs = performance.now();
    this.#inlet.start();
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
}

/** What is read of a request without a body. */
export const NO_BODY: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(END) }),
};

/** The client stopped within it. */
export function cutBody(): S3Error {
  return new S3Error(
    "IncompleteBody",
    {},
    { message: "The connection was cut before the end of the body." },
  );
}

function costOf(piece: Uint8Array): number {
  return Math.max(piece.length, PIECE_BYTES_MIN);
}
