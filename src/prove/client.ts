import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Clock } from "#base/clock.ts";
import { type Credentials, encoded, queryText, sha256, signed } from "#prove/sign.ts";

export interface Target {
  /** `http://host[:port]` or https, without a path. */
  readonly endpoint: URL;
  readonly credentials: Credentials;
  /** The bucket stands in the host name, and not in the path. */
  readonly virtualHost: boolean;
  readonly clock: Clock;
}

export interface Ask {
  readonly method: string;
  /** Of the bucket itself when it is absent. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Only so many bytes of the body are sent; then the connection is cut. */
  readonly cutAfterBytes?: number;
  /** A digest that is not the body's. */
  readonly payloadSha256?: string;
}

export interface Reply {
  /** 0 when the connection broke first. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Of an error document; what broke the connection when the status is 0. */
  readonly code: string;
}

const SOCKETS_MAX = 64;
const SILENCE_MS_MAX = 60_000;
const REPLY_BYTES_MAX = 64 * 2 ** 20;

/**
 * Requests to one bucket of an S3 server. What a server answers is what it says. What it does not answer is
 * tried once more only if it is idempotent and met a kept connection that the server had closed meanwhile.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
 */
export class Client {
  readonly #target: Target;
  readonly bucket: string;
  readonly #agent: Agent;

  constructor(target: Target, bucket: string) {
    this.#target = target;
    this.bucket = bucket;
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX };
    const isTls = target.endpoint.protocol === "https:";
    this.#agent = isTls ? new HttpsAgent(options) : new Agent(options);
  }

  close(): void {
    this.#agent.destroy();
  }

  get clock(): Clock {
    return this.#target.clock;
  }

  get region(): string {
    return this.#target.credentials.region;
  }

  async ask(ask: Ask): Promise<Reply> {
    const { endpoint, credentials, virtualHost, clock } = this.#target;
    const body = ask.body ?? NOTHING;
    const host = virtualHost ? `${this.bucket}.${endpoint.host}` : endpoint.host;
    const key = ask.key === undefined ? "" : ask.key.split("/").map(encoded).join("/");
    const path = virtualHost ? `/${key}` : `/${this.bucket}${key === "" ? "" : `/${key}`}`;
    const query = ask.query ?? {};
    const headers = signed(credentials, {
      ...{ method: ask.method, host, path, query, nowMs: clock.now() },
      headers: ask.headers ?? {},
      payloadSha256: ask.payloadSha256 ?? sha256(body),
    });
    const text = queryText(query);
    const isWrite = ask.method === "PUT" || ask.method === "POST";
    return await this.#send({
      method: ask.method,
      path: text === "" ? path : `${path}?${text}`,
      headers: { ...headers, ...(isWrite ? { "content-length": String(body.length) } : {}) },
      body,
      cutAfterBytes: ask.cutAfterBytes,
    });
  }

  async put(key: string, body: Uint8Array, headers: Ask["headers"] = {}): Promise<Reply> {
    return await this.ask({ method: "PUT", key, body, headers });
  }

  async get(key: string, headers: Ask["headers"] = {}): Promise<Reply> {
    return await this.ask({ method: "GET", key, headers });
  }

  async delete(key: string): Promise<Reply> {
    return await this.ask({ method: "DELETE", key });
  }

  /** Keys that begin with `prefix`, 1,000 at the most; those of our own need no decoding. */
  async list(prefix: string): Promise<readonly string[]> {
    const query = { "list-type": "2", prefix };
    const { body } = await this.ask({ method: "GET", query });
    return textsOf(body, "Key");
  }

  async #send(asked: ToSend): Promise<Reply> {
    const { reply, onKept } = await this.#once(asked, this.#agent);
    const isStale = reply.status === 0 && onKept && IDEMPOTENT.has(asked.method);
    return isStale ? (await this.#once(asked, false)).reply : reply;
  }

  async #once(
    { method, path, headers, body, cutAfterBytes }: ToSend,
    agent: Agent | false,
  ): Promise<Sent> {
    const { endpoint } = this.#target;
    const send = endpoint.protocol === "https:" ? httpsRequest : httpRequest;
    const options: RequestOptions & { readonly servername: string } = {
      ...{ method, path, headers, setHost: false, timeout: SILENCE_MS_MAX },
      // The certificate is that of the name that is asked for.
      servername: (headers["host"] ?? "").replace(/:\d+$/, ""),
      host: endpoint.hostname.replace(/^\[|\]$/g, ""),
      port: endpoint.port,
      // A connection that is cut is nobody else's.
      agent: cutAfterBytes === undefined ? agent : false,
    };
    return await new Promise((resolve) => {
      const end = (reply: Reply) => resolve({ reply, onKept: outgoing.reusedSocket });
      const broken = (cause: NodeJS.ErrnoException) =>
        end({ status: 0, headers: {}, body: NOTHING, code: cause.code ?? cause.message });
      const outgoing = send(options, (incoming) => {
        read(incoming).then(end, broken);
      });
      outgoing.on("error", broken);
      outgoing.on("timeout", () => outgoing.destroy(new Error("nothing came for a minute")));
      if (cutAfterBytes === undefined) outgoing.end(body);
      else outgoing.write(body.subarray(0, cutAfterBytes), () => outgoing.destroy());
    });
  }
}

interface Sent {
  readonly reply: Reply;
  /** It went over a connection that had carried requests before. */
  readonly onKept: boolean;
}

interface ToSend {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly cutAfterBytes: number | undefined;
}

const NOTHING = Buffer.alloc(0);
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"]);

/** What stands in the elements of a document that have this name. */
export function textsOf(document: Buffer, name: string): readonly string[] {
  const pattern = new RegExp(`<${name}>([^<]*)</${name}>`, "g");
  return [...document.toString().matchAll(pattern)].map(([, text = ""]) => text);
}

/** The one ETag of an answer, quotes and all. */
export function etagOf({ headers }: Reply): string {
  return headers["etag"] ?? "";
}

async function read(incoming: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > REPLY_BYTES_MAX) throw new Error("an answer was longer than anything that was put");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const status = incoming.statusCode ?? 0;
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
  );
  const code = status >= 300 ? (textsOf(body, "Code")[0] ?? "") : "";
  return { status, headers, body, code };
}
