import { BodyReader, type Inlet } from "#server/body-reader.ts";
import { type BodyDecoder, PlainBody } from "#server/http1/body-decoder.ts";
import { ChunkedBody } from "#server/http1/chunked-body.ts";
import type { Framing } from "#server/http1/framing.ts";
import type { Limits } from "#server/limits.ts";

/** The body of a request that is being answered, from its framing to its reader. */
export class IncomingBody {
  readonly reader: BodyReader;
  readonly #decoder: BodyDecoder;

  constructor(framing: Framing, limits: Limits, inlet: Inlet) {
    this.reader = new BodyReader(limits, inlet);
    this.#decoder = decoderOf(framing);
    if (this.isWhole) this.reader.finish();
  }

  /** Its last byte has come. */
  get isWhole(): boolean {
    return this.#decoder.state === "whole";
  }

  get isMalformed(): boolean {
    return this.#decoder.state === "malformed";
  }

  /** Takes its part of what has come, and answers what stands behind it. */
  feed(piece: Buffer): Buffer | undefined {
    this.reader.push(this.#decoder.decode(piece));
    if (this.isWhole) this.reader.finish();
    const { taken } = this.#decoder;
    return taken < piece.length ? piece.subarray(taken) : undefined;
  }
}

export function decoderOf({ bodyBytes }: Framing): BodyDecoder {
  return bodyBytes === "chunked" ? new ChunkedBody() : new PlainBody(bodyBytes);
}
