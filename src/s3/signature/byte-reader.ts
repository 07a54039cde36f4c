import { assert } from "#base/assert.ts";
import { S3Error } from "#base/error.ts";

const LF = 0x0a;
const NOTHING = new Uint8Array(0);

/**
 * Reads a stream of pieces, wherever they were cut, as lines and runs of bytes. Holds one piece;
 * what it hands out are views of it, never copies.
 */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Makes sure a byte is at hand; false at the end of the stream. */
  async fill(): Promise<boolean> {
    while (this.#at === this.#piece.length) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#piece = Buffer.from(buffer, byteOffset, byteLength);
      this.#at = 0;
    }
    return true;
  }

  /** The bytes at hand, which may be none. */
  get here(): Uint8Array {
    return this.#at === this.#piece.length ? NOTHING : this.#piece.subarray(this.#at);
  }

  /** Goes on after as many of the bytes at hand. */
  skip(bytes: number): void {
    assert(bytes <= this.#piece.length - this.#at, "bytes at hand are skipped");
    this.#at += bytes;
  }

  /** At least one byte and at most `bytesMax`, as many as are at hand. Fails: IncompleteBody. */
  async take(bytesMax: number): Promise<Uint8Array> {
    if (!(await this.fill())) throw truncated();
    const slice = this.#piece.subarray(this.#at, this.#at + bytesMax);
    this.#at += slice.length;
    return slice;
  }

  /**
   * The next line as latin1, without its CRLF; undefined when the stream ends before it begins. A
   * lone LF is part of the line. Fails: IncompleteBody when the stream ends within the line or the
   * line is longer than `bytesMax`.
   */
  async line(bytesMax: number): Promise<string | undefined> {
    let line = "";
    while (!line.endsWith("\r\n")) {
      if (!(await this.fill())) {
        if (line === "") return undefined;
        throw truncated();
      }
      const room = this.#at + bytesMax + 2 - line.length;
      if (room <= this.#at) throw incomplete("A line of the framing is too long.");
      const lineFeed = this.#piece.indexOf(LF, this.#at);
      const end = lineFeed === -1 ? this.#piece.length : lineFeed + 1;
      const to = Math.min(end, room);
      line += this.#piece.toString("latin1", this.#at, to);
      this.#at = to;
    }
    return line.slice(0, -2);
  }

  /** Lets go of the source, which may not have been read to its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** The body ended before it was whole. */
export function truncated(): S3Error {
  return incomplete("The request body terminated unexpectedly");
}

export function incomplete(message: string): S3Error {
  return new S3Error("IncompleteBody", {}, { message });
}
