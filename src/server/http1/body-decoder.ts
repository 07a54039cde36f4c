/** Takes a body out of what comes on a connection, piece by piece. */
export interface BodyDecoder {
  /** The body's bytes in `piece`, which is given up: what is answered stands in it. */
  readonly decode: (piece: Buffer) => Buffer;
  /** How much of the last piece belonged to the body and its framing. */
  readonly taken: number;
  readonly state: "more" | "whole" | "malformed";
}

/** A body of a known length: nothing is copied. */
export class PlainBody implements BodyDecoder {
  #leftBytes: number;
  #taken = 0;

  constructor(sizeBytes: number) {
    this.#leftBytes = sizeBytes;
  }

  get taken(): number {
    return this.#taken;
  }

  get state(): "more" | "whole" {
    return this.#leftBytes > 0 ? "more" : "whole";
  }

  decode(piece: Buffer): Buffer {
    this.#taken = Math.min(piece.length, this.#leftBytes);
    this.#leftBytes -= this.#taken;
    return this.#taken === piece.length ? piece : piece.subarray(0, this.#taken);
  }
}
