import { CallError } from "#cli/failure.ts";

export type Json = { readonly [name: string]: unknown };

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Of the control API, encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export interface Connection {
  readonly url: string;
  readonly token: string | undefined;
  readonly organizationId: string | undefined;
}

const PAGE = 1_000;

/** The control API of a server. */
export class Api {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Fails: CallError. */
  async call({ method = "GET", path, query = {}, body }: Ask): Promise<Json> {
    const { url, token, organizationId } = this.#connection;
    const target = new URL(path, url);
    for (const [name, value] of Object.entries({ orgId: organizationId, ...query })) {
      if (value !== undefined) target.searchParams.set(name, value);
    }
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await this.#fetch(target, {
      method,
      headers,
      ...(body === undefined ? {} : { body: text }),
    });
    const answer = await answerOf(response, url);
    if (response.ok) return answer;
    const { code, message } = answer as { readonly code?: number; readonly message?: string };
    const said = (message ?? response.statusText).replace(/\.$/, "");
    throw new CallError(`${said}.${mendOf(code, token)}`);
  }

  /** All items of a list, page by page. `field` is what the list is called in the answers. */
  async *list(path: string, field: string, query: Ask["query"] = {}): AsyncGenerator<Json> {
    let more: Record<string, string> | undefined = {};
    let seen = 0;
    while (more !== undefined) {
      const answer = await this.call({ path, query: { ...query, limit: String(PAGE), ...more } });
      const items = answer[field] as readonly Json[];
      yield* items;
      seen += items.length;
      const { nextPageToken } = answer as { readonly nextPageToken?: string };
      if (nextPageToken !== undefined) more = { pageToken: nextPageToken };
      else if (items.length === PAGE && more["pageToken"] === undefined) {
        more = { offset: String(seen) };
      } else more = undefined;
    }
  }

  async #fetch(target: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(target, { ...init, redirect: "error" });
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.cause ?? cause) : cause;
      const why = (reason as { readonly code?: string }).code ?? String(reason);
      if (/CERT|SIGNED|ALTNAME/.test(why)) {
        const message = `the certificate of ${this.#connection.url} is not trusted (${why}). Name its authority with NODE_EXTRA_CA_CERTS=FILE.`;
        throw new CallError(message);
      }
      const message = `no server answers at ${this.#connection.url} (${why}). Is it running? Name another with --admin-url or LODE_ADMIN_URL.`;
      throw new CallError(message);
    }
  }
}

/** Fails: CallError when it is not an answer of the control API. */
async function answerOf(response: Response, url: string): Promise<Json> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Json;
  } catch {
    const message = `what answers at ${url} is not the control API of Lode (${response.status}). Name another with --admin-url or LODE_ADMIN_URL.`;
    throw new CallError(message);
  }
}

const UNAUTHENTICATED = 16;
const PERMISSION_DENIED = 7;
const NO_METHOD = 12;

function mendOf(code: number | undefined, token: string | undefined): string {
  if (code === UNAUTHENTICATED) {
    return token === undefined
      ? " Set LODE_ADMIN_TOKEN. That of ./data/admin-token is taken by itself, for http://127.0.0.1:9001 alone."
      : " Set another with LODE_ADMIN_TOKEN or --token.";
  }
  if (code === PERMISSION_DENIED) {
    return ' Ask for a policy that allows it; "lode whoami" tells who you are.';
  }
  return code === NO_METHOD ? " The server is of another release than this command." : "";
}
