import { assert } from "#base/assert.ts";

/** Before each frame stands its length, without these bytes. */
export const LENGTH_BYTES = 4;
/** Above any change there is; what is larger is no frame of ours. */
export const FRAME_BYTES_MAX = 64 * 2 ** 20;

/** Takes a stream of bytes apart into the frames that it is made of. */
export class FrameReader {
  readonly #each: (frame: Buffer) => void;
  /** The beginning of a frame, in the pieces in which it came. */
  #pieces: Buffer[] = [];
  #held = 0;
  /** With its length; as many bytes are needed before anything can be done. */
  #needed = LENGTH_BYTES;

  /** A frame is good for as long as its holder likes: it may share memory with others of its piece. */
  constructor(each: (frame: Buffer) => void) {
    this.#each = each;
  }

  feed(piece: Buffer): void {
    if (this.#held === 0) {
      this.#take(piece);
      return;
    }
    this.#pieces.push(piece);
    this.#held += piece.length;
    // A long frame is put together once, when all of it is there.
    if (this.#held < this.#needed) return;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#held = 0;
    this.#take(whole);
  }

  #take(bytes: Buffer): void {
    let at = 0;
    this.#needed = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      assert(length <= FRAME_BYTES_MAX, "a frame has a length that one can have");
      const end = at + LENGTH_BYTES + length;
      if (end > bytes.length) {
        this.#needed = LENGTH_BYTES + length;
        break;
      }
      this.#each(bytes.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    if (at === bytes.length) return;
    this.#pieces = [bytes.subarray(at)];
    this.#held = bytes.length - at;
  }
}
