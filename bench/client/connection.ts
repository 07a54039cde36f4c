import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Reply, ReplyReader } from "./reply-reader.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly head: Buffer;
  readonly body?: Buffer | undefined;
  /** Keep the body's text for the reply; without it, bodies are only counted. */
  readonly keepBody?: boolean;
  readonly isHead?: boolean;
}

/**
 * All connections of a process read into this one buffer. A read is taken in before the next one
 * starts, and a buffer that stays in the processor's cache makes discarding a body cheap.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** One keep-alive HTTP/1.1 connection with one request under way at a time. */
export class Connection {
  readonly #address: Address;
  readonly #reader = new ReplyReader();
  #socket: Socket | undefined;
  #done: ((outcome: Reply | Error) => void) | undefined;

  constructor(address: Address) {
    this.#address = address;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable;
  }

  async open(): Promise<void> {
    const socket = connect({
      ...this.#address,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
    });
    await once(socket, "connect");
    this.#socket = socket;
    socket.on("error", (error) => this.#lose(socket, error));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#lose(socket, new Error("the server closed the connection")));
  }

  /** Sends a request and calls `done` once, with the reply or with what went wrong. */
  start(request: WireRequest, done: (outcome: Reply | Error) => void): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) {
      done(new Error("the connection is not open"));
      return;
    }
    this.#done = done;
    this.#reader.expect({
      keepBody: request.keepBody === true,
      hasBody: request.isHead !== true,
    });
    if (request.body === undefined) {
      socket.write(request.head);
      return;
    }
    socket.cork();
    socket.write(request.head);
    socket.write(request.body);
    socket.uncork();
  }

  async exchange(request: WireRequest): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.start(request, (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  /** Ends the connection; a request under way fails. */
  abort(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#done = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #read(length: number): boolean {
    try {
      const reply = this.#reader.push(READ_BUFFER.subarray(0, length));
      if (reply === undefined) return true;
      if (reply.head.includes("onnection: close")) this.#drop();
      this.#settle(reply);
    } catch (error) {
      this.#drop();
      this.#settle(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  /** Events of a socket that was already given up say nothing about the one in use. */
  #lose(socket: Socket, error: Error): void {
    if (this.#socket === socket) this.#settle(error);
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #settle(outcome: Reply | Error): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}
