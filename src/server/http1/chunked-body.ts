import type { BodyDecoder } from "#server/http1/body-decoder.ts";
import { NEXT, STATE } from "#server/http1/chunk-states.ts";

/** Of a chunk's size with its extensions, and of all trailers together. */
const LINE_BYTES_MAX = 4 * 1_024;
const TRAILER_BYTES_MAX = 16 * 1_024;
/** So many hold every safe integer, and leading zeros. */
const SIZE_DIGITS_MAX = 16;
const ZERO = 0x30;
const NINE = 0x39;

/** What frames or routes a message must not come behind its body, where somebody might merge it into the head. */
const NO_TRAILERS = new Set([
  "connection",
  "content-length",
  "host",
  "transfer-encoding",
  "upgrade",
]);
const TRAILER_NAME_CHARS = 18;

/**
 * A chunked body. Extensions are checked and ignored, trailers checked and dropped. Small chunks of one piece are
 * moved together within it, so that they cost no more memory than they came in.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
 */
export class ChunkedBody implements BodyDecoder {
  #state: number = STATE.start;
  #sizeBytes = 0;
  #digits = 0;
  /** Of the line of a size, or of all trailers, so far. */
  #lineBytes = 0;
  #leftBytes = 0;
  /** As far as it matters. */
  #trailerName = "";
  #taken = 0;

  get taken(): number {
    return this.#taken;
  }

  get state(): "more" | "whole" | "malformed" {
    if (this.#state === STATE.end) return "whole";
    return this.#state === STATE.bad ? "malformed" : "more";
  }

  decode(piece: Buffer): Buffer {
    let [at, from, to] = [0, 0, 0];
    while (at < piece.length && this.state === "more") {
      if (this.#state !== STATE.data) {
        this.#step(piece[at] ?? 0);
        at += 1;
        continue;
      }
      const bytes = Math.min(this.#leftBytes, piece.length - at);
      if (to === 0) from = at;
      else piece.copyWithin(to, at, at + bytes);
      to = (to === 0 ? from : to) + bytes;
      at += bytes;
      this.#leftBytes -= bytes;
      if (this.#leftBytes === 0) this.#state = STATE.dataCr;
    }
    this.#taken = at;
    return piece.subarray(from, to);
  }

  #step(byte: number): void {
    const next = NEXT[(this.#state << 8) | byte] ?? STATE.bad;
    this.#state = next;
    this.#lineBytes += 1;
    if (next === STATE.size) this.#addDigit(byte);
    else if (next === STATE.sized) this.#begin();
    else if (next === STATE.start) this.#lineBytes = 0;
    else if (next >= STATE.trailerName) this.#checkTrailer(byte, next);
    const isTrailer = next >= STATE.trailerStart;
    if (this.#lineBytes > (isTrailer ? TRAILER_BYTES_MAX : LINE_BYTES_MAX)) {
      this.#state = STATE.bad;
    }
  }

  #checkTrailer(byte: number, next: number): void {
    if (next === STATE.trailerName) {
      if (this.#trailerName.length < TRAILER_NAME_CHARS) {
        this.#trailerName += String.fromCharCode(byte).toLowerCase();
      }
      return;
    }
    if (NO_TRAILERS.has(this.#trailerName)) this.#state = STATE.bad;
    this.#trailerName = "";
  }

  #addDigit(byte: number): void {
    this.#digits += 1;
    this.#sizeBytes = this.#sizeBytes * 16 + (byte <= NINE ? byte - ZERO : (byte | 0x20) - 0x57);
    if (this.#digits > SIZE_DIGITS_MAX || !Number.isSafeInteger(this.#sizeBytes)) {
      this.#state = STATE.bad;
    }
  }

  #begin(): void {
    this.#leftBytes = this.#sizeBytes;
    this.#state = this.#sizeBytes > 0 ? STATE.data : STATE.trailerStart;
    this.#sizeBytes = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }
}
