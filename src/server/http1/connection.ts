import type { Socket } from "node:net";
import { deadline } from "#base/clock.ts";
import { Exchange } from "#server/http1/exchange.ts";
import { type Framing, framingOf } from "#server/http1/framing.ts";
import type { Head } from "#server/http1/head-parser.ts";
import { Outlet } from "#server/http1/outlet.ts";
import { responseHead } from "#server/http1/response-head.ts";
import type { Serving } from "#server/http1/serving.ts";
import type { BadRequest } from "#server/listen.ts";

/** What comes while a request is answered, and is none of its body: then the socket is not read. */
const WAITING_BYTES_MAX = 16 * 1_024;

/**
 * One client's connection. Its requests are carried out in turn: who reads after a write sees it, and one
 * connection keeps us busy with one request. What is no request ends it, after the answers before.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-9
 */
export class Connection {
  readonly #socket: Socket;
  readonly #serving: Serving;
  readonly #outlet: Outlet;
  /** What has come and belongs to no request yet. */
  #unparsed: Buffer | undefined;
  #exchange: Exchange | undefined;
  /** Of what comes now nothing is looked at. */
  #isOver = false;
  /** The client sends no more. */
  #isEnded = false;
  #isPaused = false;
  #isWatched = false;
  /** When it was opened, its last answer went out, or the head began that is under way. */
  #sinceMs = performance.now();
  #waitsFor: "first" | "rest" | "next" = "first";

  /** When it is ours to write, the client has not kept us waiting. */
  readonly #stalled = () => {
    this.#isWatched = false;
    if (!this.#outlet.isDown(0)) this.#socket.destroy();
  };

  constructor(socket: Socket, serving: Serving) {
    this.#socket = socket;
    this.#serving = serving;
    this.#outlet = new Outlet(socket);
    socket.on("data", (piece: Buffer) => this.#receive(piece));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#close());
    // "close" follows.
    socket.on("error", () => undefined);
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  get outlet(): Outlet {
    return this.#outlet;
  }

  /** Whether the answer that is next is the last one. */
  get isLast(): boolean {
    return this.#serving.draining || (this.#isEnded && this.#unparsed === undefined);
  }

  /** Closes it as soon as nothing is being answered. */
  drain(): void {
    if (this.#exchange === undefined && !this.#isOver) this.#finish();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks for what has waited too long. */
  sweep(nowMs: number): void {
    if (this.#isOver) return;
    const { limits } = this.#serving;
    if (this.#exchange !== undefined) {
      this.#exchange.body?.reader.sweep(nowMs);
      if (this.#exchange.isAnswering) this.#watch();
      return;
    }
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#waitsFor === "next") {
      if (waitedMs > limits.keepAliveMs) this.#finish();
    } else if (waitedMs > limits.headersMs) {
      if (this.#waitsFor === "rest") this.refuse("timeout");
      else this.#socket.destroy();
    }
  }

  /** More of the body under way is wanted. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** What never became a request, or stopped to be one, is told so unless its answer has begun. */
  refuse(reason: BadRequest): void {
    const answer = this.#serving.options.refuse;
    if (answer === undefined || this.#outlet.isGone) {
      this.#socket.destroy();
      return;
    }
    const reply = answer(reason);
    const text = typeof reply.body === "string" ? reply.body : "";
    const { text: head } = responseHead(reply, "close");
    this.#outlet.write(Buffer.from(`${head}\r\n${text}`, "utf8"));
    this.linger();
  }

  /** Ends our side, and reads away what still comes, so that the last answer arrives. */
  linger(): void {
    this.#isOver = true;
    this.#unparsed = undefined;
    this.#socket.end();
    this.resume();
    const timer = deadline(this.#serving.limits.discardMs, () => this.#socket.destroy());
    this.#socket.once("close", timer.cancel);
  }

  /** The answer is out, and all of the body has come: the next request, unless this was the last. */
  next({ closes }: { readonly closes: boolean }): void {
    this.#exchange = undefined;
    this.#unwatch();
    if (closes || this.isLast) {
      this.#finish();
      return;
    }
    this.#sinceMs = performance.now();
    this.#waitsFor = "next";
    // Not in the same turn of the event loop: other connections come first.
    if (this.#unparsed !== undefined) setImmediate(() => this.#parse());
    if (!this.#isAhead) this.resume();
  }

  /** More has come than the next requests need for now. */
  get #isAhead(): boolean {
    return this.#unparsed !== undefined && this.#unparsed.length >= WAITING_BYTES_MAX;
  }

  /** Closes it when what was written is out. */
  #finish(): void {
    this.#isOver = true;
    this.#unparsed = undefined;
    this.#socket.destroySoon();
  }

  #receive(piece: Buffer): void {
    if (this.#isOver) return;
    const exchange = this.#exchange;
    if (exchange?.wantsMore === true) {
      this.#feed(exchange, piece);
      return;
    }
    const before = this.#unparsed;
    const unparsed = before === undefined ? piece : Buffer.concat([before, piece]);
    this.#unparsed = unparsed;
    if (exchange === undefined) this.#parse();
    else if (this.#isAhead) this.#pause();
  }

  #parse(): void {
    const bytes = this.#unparsed;
    if (bytes === undefined || this.#exchange !== undefined || this.#isOver) return;
    if (this.#outlet.isGone) return;
    const head = this.#serving.parser.parse(bytes);
    if (typeof head === "object") {
      const framing = framingOf(head);
      const { sizeBytes } = head;
      this.#unparsed = sizeBytes < bytes.length ? bytes.subarray(sizeBytes) : undefined;
      if (framing === undefined) this.refuse("malformed");
      else this.#begin(head, framing);
    } else if (head === "incomplete" || head === "empty") {
      this.#await(head);
    } else {
      this.refuse(head);
    }
  }

  /** The rest of a head. */
  #await(head: "incomplete" | "empty"): void {
    this.resume();
    if (this.#isEnded) {
      if (head === "empty") this.#finish();
      else this.refuse("malformed");
    } else if (head === "incomplete" && this.#waitsFor !== "rest") {
      if (this.#waitsFor === "next") this.#sinceMs = performance.now();
      this.#waitsFor = "rest";
    }
  }

  #begin(head: Head, framing: Framing): void {
    const exchange = new Exchange({ head, framing, connection: this, serving: this.#serving });
    this.#exchange = exchange;
    const rest = this.#unparsed;
    if (exchange.wantsMore && rest !== undefined) {
      this.#unparsed = undefined;
      if (!this.#feed(exchange, rest)) return;
    }
    exchange.respond();
  }

  /** Answers whether the body is still one. */
  #feed(exchange: Exchange, piece: Buffer): boolean {
    const rest = exchange.feed(piece);
    if (this.#isOver || this.#socket.destroyed) return false;
    this.#unparsed = rest;
    if (exchange.wantsMore && exchange.isFull) this.#pause();
    exchange.settle();
    return true;
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Gives the connection up when nothing of an answer gets through; net.Socket sees what does. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { idleMs, discardMs } = this.#serving.limits;
    // So long that what is refused first can be read away.
    this.#socket.setTimeout(idleMs + discardMs, this.#stalled);
  }

  #unwatch(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#socket.setTimeout(0, this.#stalled);
  }

  #end(): void {
    this.#isEnded = true;
    if (this.#isOver) return;
    if (this.#exchange !== undefined) this.#exchange.cut();
    else if (this.#unparsed === undefined) this.#finish();
    else this.#parse();
  }

  #close(): void {
    this.#isOver = true;
    this.#unparsed = undefined;
    this.#exchange?.cut();
    this.#outlet.stir();
  }
}
