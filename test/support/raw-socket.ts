/**
 * A connection that sends exactly the bytes it is given, for requests that no HTTP client would make.
 *
 *     await using socket = await RawSocket.connect(server.endpoint);
 *     await socket.send(requestHead({ method: "GET", target: "/", headers: { host: "h" } }));
 *     const { status, body } = await socket.response();
 *     await socket.ended();
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { deadline } from "#base/clock.ts";

export interface RawResponse {
  readonly status: number;
  /** Names in lower case; the last of a repeated one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** No test waits for it to pass: it turns a server that hangs into a failure. */
const HANGS_AFTER_MS = 30_000;

export class RawSocket implements AsyncDisposable {
  readonly #socket: Socket;
  /** What has come and was not taken yet. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /**
   * Over TLS when the endpoint is https; `authority` is then the certificate to believe, in PEM.
   * `allowHalfOpen`: our side stays open when the server has ended its own.
   */
  static async connect(endpoint: string, authority?: string): Promise<RawSocket> {
    const { protocol, hostname: host, port: text } = new URL(endpoint);
    const secure = protocol === "https:";
    const options = { host, port: Number(text), allowHalfOpen: true };
    const socket = secure ? connectTls({ ...options, ca: authority }) : connect(options);
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? "secureConnect" : "connect", resolve).once("error", reject);
    });
    return new RawSocket(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#pieces.push(chunk);
      this.#bytes += chunk.length;
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end).on("close", end).on("error", end);
  }

  /** Resolves when the system has taken the bytes, or the connection is gone. */
  async send(bytes: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      if (!this.#socket.writable) return resolve();
      this.#socket.once("close", resolve);
      this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => {
        this.#socket.off("close", resolve);
        resolve();
      });
    });
  }

  /** Resolves when an answer has begun to come. */
  async begins(): Promise<void> {
    if (this.#bytes === 0) await this.#moreOf("an answer");
  }

  /** Ends our direction: the server sees the end of what we send, and may still answer. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Nothing is taken off the socket any more, so that the server's writes have nowhere to go. */
  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  /** The next answer, `100 Continue` being one. Fails: Error when the connection ends before it does. */
  async response(): Promise<RawResponse> {
    const headEnd = await this.#find("\r\n\r\n");
    const [first = "", ...lines] = this.#take(headEnd + 4)
      .toString("latin1")
      .split("\r\n");
    const headers = Object.fromEntries(
      lines.slice(0, -2).map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Error(`not an answer: ${JSON.stringify(first)}`);
    const none = status < 200 || status === 204 || status === 304;
    return { status, headers, body: none ? Buffer.alloc(0) : await this.#body(headers) };
  }

  /** What still comes until the server ends the connection. Fails: Error when it does not. */
  async ended(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#take(this.#bytes).toString("latin1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }

  async #body(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    if (headers["transfer-encoding"] !== undefined) throw new Error("an answer came in chunks");
    const text = headers["content-length"];
    if (text === undefined) return Buffer.from(await this.ended(), "latin1");
    while (this.#bytes < Number(text)) await this.#moreOf("an answer's body");
    return this.#take(Number(text));
  }

  async #find(mark: string): Promise<number> {
    for (;;) {
      const at = this.#join().indexOf(mark);
      if (at >= 0) return at;
      await this.#moreOf("an answer");
    }
  }

  async #moreOf(what: string): Promise<void> {
    if (this.#ended) {
      throw new Error(`the connection ended within ${what}, after ${this.#bytes} bytes`);
    }
    await this.#more();
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = deadline(HANGS_AFTER_MS, () => reject(new Error("the server stays silent")));
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #take(bytes: number): Buffer {
    const all = this.#join();
    this.#pieces = [all.subarray(bytes)];
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}

/** The text of a request up to its body. Header values are latin1; a list repeats the header. */
export function requestHead(request: {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}): string {
  const lines = Object.entries(request.headers).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `${request.method} ${request.target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
