import type { BodyDecoder } from "#server/http1/body-decoder.ts";
import { type Framing, framingOf } from "#server/http1/framing.ts";
import { type Head, HeadParser } from "#server/http1/head-parser.ts";
import { decoderOf } from "#server/http1/incoming-body.ts";
import { LIMITS } from "#server/limits.ts";
import type { Message, Reading } from "#test/fuzz/llhttp.ts";

export const HEADER_BYTES_MAX = LIMITS.headerBytesMax;

export interface OurReading extends Reading {
  /** Which request was refused, and where its bytes start. */
  readonly refusedAt: number;
  readonly refusedFrom: number;
}

interface Open {
  readonly head: Head;
  readonly framing: Framing;
  readonly decoder: BodyDecoder;
  body: string;
}

/** What a connection makes of bytes that come in such pieces. */
export function readByOurs(pieces: readonly Buffer[]): OurReading {
  const connection = new Reader();
  for (const piece of pieces) connection.receive(piece);
  return connection.reading();
}

class Reader {
  readonly #parser = new HeadParser(LIMITS);
  readonly #messages: Message[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #open: Open | undefined;
  #stopped: string | undefined;
  #readBytes = 0;
  #startedAt = 0;

  receive(piece: Buffer): void {
    // A copy: a decoder may move bytes within it.
    this.#rest = Buffer.concat([this.#rest, piece]);
    let goesOn = true;
    while (goesOn && this.#stopped === undefined) {
      goesOn = this.#open === undefined ? this.#readHead() : this.#readBody(this.#open);
    }
  }

  reading(): OurReading {
    const open = this.#open;
    const refusedAt = this.#messages.length;
    const messages = [...this.#messages, ...(open === undefined ? [] : [messageOf(open, false)])];
    const stopped = this.#stopped;
    return { messages, stopped, refusedAt, refusedFrom: this.#startedAt };
  }

  #readHead(): boolean {
    this.#startedAt = this.#readBytes;
    const head = this.#parser.parse(this.#rest);
    if (head === "incomplete" || head === "empty") return false;
    const framing = typeof head === "object" ? framingOf(head) : undefined;
    if (typeof head !== "object" || framing === undefined) {
      this.#stopped = typeof head === "string" ? head : "malformed";
      return false;
    }
    this.#take(head.sizeBytes);
    this.#open = { head, framing, decoder: decoderOf(framing), body: "" };
    return true;
  }

  #readBody(open: Open): boolean {
    open.body += open.decoder.decode(this.#rest).toString("latin1");
    this.#take(open.decoder.taken);
    if (open.decoder.state === "malformed") this.#stopped = "malformed";
    if (open.decoder.state !== "whole") return false;
    this.#messages.push(messageOf(open, true));
    this.#open = undefined;
    if (!open.framing.keepsAlive || open.head.method === "CONNECT") this.#stopped = "closed";
    return true;
  }

  #take(bytes: number): void {
    this.#readBytes += bytes;
    this.#rest = this.#rest.subarray(bytes);
  }
}

function messageOf({ head, body }: Open, isWhole: boolean): Message {
  const { method, target, minorVersion, rawHeaders } = head;
  return { method, target, version: `1.${minorVersion}`, headers: rawHeaders, body, isWhole };
}
