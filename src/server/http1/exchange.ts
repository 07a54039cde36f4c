import { deadline } from "#base/clock.ts";
import type { HttpRequest } from "#base/http.ts";
import { after, rescue, type Soon } from "#base/soon.ts";
import { cutBody, NO_BODY } from "#server/body-reader.ts";
import type { Connection } from "#server/http1/connection.ts";
import type { Framing } from "#server/http1/framing.ts";
import type { Head } from "#server/http1/head-parser.ts";
import { IncomingBody } from "#server/http1/incoming-body.ts";
import type { Persistence } from "#server/http1/response-head.ts";
import type { Serving } from "#server/http1/serving.ts";
import type { Answer } from "#server/listen.ts";
import { endsByClosing, type Written, writeReply } from "#server/write-reply.ts";

interface Parts {
  readonly head: Head;
  readonly framing: Framing;
  readonly connection: Connection;
  readonly serving: Serving;
}

const CONTINUE = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");

/** A request and its answer. */
export class Exchange {
  readonly #parts: Parts;
  /** undefined when there is none. */
  readonly body: IncomingBody | undefined;
  #phase: "asked" | "answering" | "answered" = "asked";
  #closes = false;
  #unasked = false;
  /** The client sends no more of the body. */
  #isCut = false;
  /** How much more is read away of a body that nobody wants. */
  #discardedLeft: number | undefined;
  #discardTimer: { readonly cancel: () => void } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { framing, serving } = parts;
    if (framing.bodyBytes !== 0 || framing.expects) {
      this.body = new IncomingBody(framing, serving.limits, {
        start: () => this.#start(),
        more: () => parts.connection.resume(),
      });
    }
  }

  /** The answer has begun, and its end is not out. */
  get isAnswering(): boolean {
    return this.#phase === "answering";
  }

  /** Of the body. */
  get wantsMore(): boolean {
    return this.body?.isWhole === false && !this.#isCut;
  }

  /** More of the body than its reader has taken, so that no more should come for now. */
  get isFull(): boolean {
    return this.#discardedLeft === undefined && this.body?.reader.isFull === true;
  }

  /** Takes the body's part of what has come, and answers what stands behind it. */
  feed(piece: Buffer): Buffer | undefined {
    const { body } = this;
    const rest = body?.feed(piece);
    if (body?.isMalformed === true) this.#broken();
    else if (this.#discardedLeft !== undefined) this.#discarded(piece.length);
    return rest;
  }

  /** What was fed has been taken. The end of a body that was read away lets the next request begin. */
  settle(): void {
    if (this.#discardedLeft === undefined || this.wantsMore) return;
    this.#discardTimer?.cancel();
    if (this.#phase === "answered") this.#parts.connection.next({ closes: this.#closes });
  }

  /** Has it answered. */
  respond(): void {
    const { serving, connection } = this.#parts;
    void rescue(
      () => after(serving.options.answer(this.#request()), (answer) => this.#respond(answer)),
      () => {
        this.body?.reader.abandon();
        connection.destroy();
      },
    );
  }

  /** The client sends no more. */
  cut(): void {
    if (!this.wantsMore) return;
    this.#isCut = true;
    this.#discardTimer?.cancel();
    this.body?.reader.fail(cutBody());
    if (this.#phase === "answered") this.#parts.connection.next({ closes: true });
  }

  #respond(answer: Answer): Soon<void> {
    const { connection } = this.#parts;
    this.#phase = "answering";
    const { head } = this.#parts;
    this.#unasked = this.#isUnasked();
    if (!this.#unasked && this.wantsMore && !connection.outlet.isGone) this.#discard();
    this.#closes = this.#unasked || this.#isLast(answer);
    const written = writeReply(connection.outlet, answer.reply, {
      method: head.method,
      minorVersion: head.minorVersion,
      persistence: this.#persistence(),
    });
    return after(written, (how) => this.#finish(answer, how));
  }

  #request(): HttpRequest {
    const { head, connection, serving } = this.#parts;
    return {
      method: head.method,
      target: head.target,
      rawHeaders: head.rawHeaders,
      remoteAddress: connection.remoteAddress,
      secure: serving.options.tls !== undefined,
      body: this.body?.reader ?? NO_BODY,
    };
  }

  /**
   * A client that waits will send no body now, and what it sends next could be taken for one. Also of an empty
   * body: botocore takes a connection on which an answer came instead of "100 Continue" for one that is closed.
   */
  #isUnasked(): boolean {
    return this.#parts.framing.expects && this.body?.reader.started === false;
  }

  #isLast({ reply }: Answer): boolean {
    const { head, framing, connection } = this.#parts;
    if (!framing.keepsAlive || connection.isLast) return true;
    // What follows would be meant for the tunnel that there is not.
    return head.method === "CONNECT" || endsByClosing(reply, head.minorVersion);
  }

  #persistence(): Persistence {
    if (this.#closes) return "close";
    return this.#parts.framing.tellsKept ? "keep-alive" : "unsaid";
  }

  #finish({ done }: Answer, written: Written): void {
    const { connection } = this.#parts;
    this.#phase = "answered";
    const received = this.body?.reader.receivedBytes ?? 0;
    this.body?.reader.abandon();
    if (!connection.outlet.isGone) {
      if (this.#unasked || this.body?.isMalformed === true) connection.linger();
      else if (!this.wantsMore) connection.next({ closes: this.#closes });
    }
    done?.({ ...written, received });
  }

  /** The body is asked for. */
  #start(): void {
    const { framing, connection } = this.#parts;
    if (framing.expects && this.#phase === "asked" && !connection.outlet.isGone) {
      connection.outlet.write(CONTINUE);
    }
  }

  /**
   * Reads away what is left of a refused request, so that the client gets to see the refusal: closing
   * at once would reset the connection under it. Within limits; then the connection goes.
   */
  #discard(): void {
    const { connection, serving } = this.#parts;
    const { discardedBytesMax, discardMs } = serving.limits;
    this.body?.reader.abandon();
    this.#discardedLeft = discardedBytesMax;
    this.#discardTimer = deadline(discardMs, () => connection.destroy());
    connection.resume();
  }

  #discarded(bytes: number): void {
    this.#discardedLeft = (this.#discardedLeft ?? 0) - bytes;
    const { connection } = this.#parts;
    if (this.#discardedLeft < 0) connection.destroy();
  }

  /** The framing of its body is no framing. Unless its answer has begun, the client is told that instead. */
  #broken(): void {
    const { connection } = this.#parts;
    this.#discardTimer?.cancel();
    this.body?.reader.fail(cutBody());
    this.body?.reader.abandon();
    if (this.#phase === "asked") connection.refuse("malformed");
    else if (this.#phase === "answered") connection.linger();
  }
}
