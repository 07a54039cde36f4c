import { Connection } from "./connection.ts";
import { headerOf, type Reply } from "./reply-reader.ts";
import { type Credentials, objectPath, Signer } from "./sign.ts";

/** Where a server answers, and as whom the benchmark speaks to it. */
export interface Endpoint extends Credentials {
  readonly host: string;
  readonly port: number;
}

export interface Call {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** The server says that it does not offer an operation: the row is left out, with a note. */
export class Unsupported extends Error {}

/** One connection for what happens once or in order: buckets, listings, uploads, copies. */
export class Session implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #connection: Connection;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#connection = new Connection({ host: endpoint.host, port: endpoint.port });
  }

  /** Connects before the clock starts; `try` and `call` connect when needed. */
  async open(): Promise<void> {
    if (!this.#connection.isOpen) await this.#connection.open();
  }

  /** Signs and sends a call, and returns whatever the server answers, errors included. */
  async try(call: Call): Promise<Reply> {
    const isFresh = !this.#connection.isOpen;
    await this.open();
    try {
      return await this.#exchange(call);
    } catch (error) {
      if (isFresh) throw error;
      // A server may close an idle connection at the moment we use it; that is not a failure.
      this.#connection.close();
      await this.#connection.open();
      return await this.#exchange(call);
    }
  }

  /** Like `try`, but an error answer throws; NotImplemented throws `Unsupported`. */
  async call(call: Call): Promise<Reply> {
    const reply = await this.try(call);
    // Spec: CompleteMultipartUpload and CopyObject may answer 200 and put an error in the body.
    const isOk = reply.status < 300 && !reply.body.slice(0, 200).includes("<Error>");
    if (isOk) return reply;
    const code = fieldOf(reply, "Code") ?? "";
    const what = `${call.method} /${call.bucket}/${call.key ?? ""}: ${reply.status} ${code}`;
    if (reply.status === 501 || code === "NotImplemented") throw new Unsupported(what);
    throw new Error(`${what} ${fieldOf(reply, "Message") ?? ""}`);
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  #exchange(call: Call): Promise<Reply> {
    const { host, port } = this.#endpoint;
    const length = call.body?.length ?? (call.method === "PUT" || call.method === "POST" ? 0 : -1);
    const head = new Signer(this.#endpoint, new Date()).head({
      method: call.method,
      path: call.key === undefined ? `/${call.bucket}` : objectPath(call.bucket, call.key),
      query: call.query ?? {},
      headers: {
        ...call.headers,
        host: `${host}:${port}`,
        ...(length >= 0 ? { "content-length": String(length) } : {}),
      },
    });
    return this.#connection.exchange({
      head: Buffer.from(head, "latin1"),
      body: call.body,
      keepBody: true,
      isHead: call.method === "HEAD",
    });
  }
}

/** The text of the first XML element of that name. */
export function fieldOf(reply: Reply, name: string): string | undefined {
  return fieldsOf(reply, name)[0];
}

/** The texts of all XML elements of that name. */
export function fieldsOf(reply: Reply, name: string): string[] {
  return [...reply.body.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text]) =>
    (text ?? "").replace(/&(?:quot|#34);/g, '"').replaceAll("&amp;", "&"),
  );
}

/** The ETag from the header or, for copies, from the body. */
export function etagOf(reply: Reply): string {
  const etag = headerOf(reply, "etag") ?? fieldOf(reply, "ETag");
  if (etag === undefined) throw new Error("an answer has no ETag");
  return etag;
}
