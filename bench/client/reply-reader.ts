import { ChunkedBody } from "./chunked-body.ts";

export interface Reply {
  readonly status: number;
  /** Status line and headers as they came. */
  readonly head: string;
  readonly bodyBytes: number;
  /** The body's text when it was asked for or the answer is an error; else empty. */
  readonly body: string;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const HEAD_BYTES_MAX = 64 * 1024;

/** Reads one HTTP/1.1 response after another: status and length are parsed, body bytes counted. */
export class ReplyReader {
  #partialHead: Buffer | undefined;
  #head = "";
  #status = 0;
  #inBody = false;
  #remainingBytes = 0;
  #chunked: ChunkedBody | undefined;
  #bodyBytes = 0;
  #kept: Buffer[] = [];
  #keep = false;
  #hasBody = true;

  /** Must be called before each request. `hasBody` is false for the answer to a HEAD. */
  expect(options: { readonly keepBody: boolean; readonly hasBody: boolean }): void {
    this.#partialHead = undefined;
    this.#inBody = false;
    this.#chunked = undefined;
    this.#bodyBytes = 0;
    this.#kept = [];
    this.#keep = options.keepBody;
    this.#hasBody = options.hasBody;
  }

  /** Takes bytes from the socket and returns the reply when it is whole. */
  push(bytes: Buffer): Reply | undefined {
    let body = bytes;
    while (!this.#inBody) {
      const all = this.#partialHead ? Buffer.concat([this.#partialHead, body]) : body;
      const end = all.indexOf(HEAD_END);
      if (end < 0) {
        if (all.length > HEAD_BYTES_MAX) throw new Error("the response head does not end");
        this.#partialHead = Buffer.from(all);
        return undefined;
      }
      this.#partialHead = undefined;
      this.#readHead(all.toString("latin1", 0, end));
      body = all.subarray(end + HEAD_END.length);
    }
    return this.#readBody(body) ? this.#finish() : undefined;
  }

  #readHead(head: string): void {
    this.#head = head;
    this.#status = Number(head.slice(9, 12));
    if (this.#status < 200) return;
    this.#inBody = true;
    this.#remainingBytes = 0;
    if (this.#status >= 300) this.#keep = true;
    if (!this.#hasBody || this.#status === 204 || this.#status === 304) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) this.#remainingBytes = Number(length);
    else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#chunked = new ChunkedBody();
    else throw new Error("a response has neither content-length nor chunks");
  }

  #readBody(bytes: Buffer): boolean {
    if (this.#chunked !== undefined) {
      return this.#chunked.push(bytes, (data) => this.#take(data));
    }
    if (bytes.length > this.#remainingBytes) throw new Error("the body is longer than announced");
    this.#remainingBytes -= bytes.length;
    this.#take(bytes);
    return this.#remainingBytes === 0;
  }

  #take(data: Buffer): void {
    this.#bodyBytes += data.length;
    if (this.#keep && data.length > 0) this.#kept.push(Buffer.from(data));
  }

  #finish(): Reply {
    return {
      status: this.#status,
      head: this.#head,
      bodyBytes: this.#bodyBytes,
      body: this.#keep ? Buffer.concat(this.#kept).toString("latin1") : "",
    };
  }
}

/** The value of one header of a reply. */
export function headerOf(reply: Reply, name: string): string | undefined {
  const line = reply.head.split("\r\n").find((text) => text.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
