import type { Clock } from "#base/clock.ts";
import { isLoopbackHost } from "#catalog/oidc-configuration.ts";
import { FederationError } from "#federation/federation-error.ts";
import type { JsonFetch } from "#federation/fetch-json.ts";

/** Where keys are published, and whether that may be on a private network. */
export interface Issuer {
  readonly issuerUrl: string;
  readonly privateNetwork: boolean;
}

interface Known<Keys> {
  readonly keys: Keys | undefined;
  readonly fetchedMs: number;
  /** Of the last attempt, whether it brought keys or not. */
  readonly triedMs: number;
}

export interface IssuerKeysParts<Keys> {
  readonly clock: Clock;
  readonly fetchJson: (fetch: JsonFetch) => Promise<unknown>;
  /** Reads a JWK set. Fails: Error when it is none. */
  readonly read: (set: unknown) => Keys;
}

const FRESH_MS = 600_000;
/** An issuer that does not answer is still believed what it said this long ago. */
const STALE_MS = 3_600_000;
/** After a failure, and for a key that is not among those that it has just given. */
const RETRY_MS = { failed: 5_000, unknownKey: 30_000 } as const;
const ISSUERS_MAX = 1_000;

/**
 * Keys of issuers, as they publish them: the discovery document names the set. What is fetched is kept for
 * ten minutes; a key that is not among them makes it be fetched again, but no more than twice a minute,
 * whatever tokens strangers send.
 *
 * Spec: https://openid.net/specs/openid-connect-discovery-1_0.html
 */
export class IssuerKeys<Keys> {
  readonly #parts: IssuerKeysParts<Keys>;
  readonly #known = new Map<string, Known<Keys>>();
  readonly #pending = new Map<string, Promise<Keys>>();

  constructor(parts: IssuerKeysParts<Keys>) {
    this.#parts = parts;
  }

  /** Fails: FederationError "unreachable". */
  async of(issuer: Issuer): Promise<Keys> {
    const name = nameOf(issuer);
    const known = this.#known.get(name);
    const ageMs = this.#parts.clock.now() - (known?.fetchedMs ?? 0);
    if (known?.keys !== undefined && ageMs < FRESH_MS) return known.keys;
    const stale = ageMs < STALE_MS ? known?.keys : undefined;
    if (this.#isTooSoon(name, RETRY_MS.failed)) {
      if (stale !== undefined) return stale;
      const message = `the keys of ${issuer.issuerUrl} could not be fetched a moment ago: try again in some seconds`;
      throw new FederationError("unreachable", message);
    }
    try {
      return await this.#fetch(issuer);
    } catch (cause) {
      if (stale !== undefined) return stale;
      throw cause;
    }
  }

  /** Keys that may have changed since; undefined when it is too early to ask again. Fails: as `of`. */
  async renewed(issuer: Issuer): Promise<Keys | undefined> {
    if (this.#isTooSoon(nameOf(issuer), RETRY_MS.unknownKey)) return undefined;
    return await this.#fetch(issuer);
  }

  /** Not while an answer is on its way. */
  #isTooSoon(name: string, afterMs: number): boolean {
    const known = this.#known.get(name);
    if (known === undefined || this.#pending.has(name)) return false;
    return this.#parts.clock.now() < known.triedMs + afterMs;
  }

  /** Requests that want the same keys wait for one answer. */
  async #fetch(issuer: Issuer): Promise<Keys> {
    const name = nameOf(issuer);
    const pending = this.#pending.get(name);
    if (pending !== undefined) return await pending;
    const fetching = this.#fetchNow(issuer).finally(() => this.#pending.delete(name));
    this.#pending.set(name, fetching);
    return await fetching;
  }

  async #fetchNow(issuer: Issuer): Promise<Keys> {
    const name = nameOf(issuer);
    const { clock, read } = this.#parts;
    const before = this.#known.get(name);
    const triedMs = clock.now();
    this.#remember(name, { keys: undefined, fetchedMs: 0, ...before, triedMs });
    const keys = await this.#published(issuer, read);
    this.#remember(name, { keys, fetchedMs: triedMs, triedMs });
    return keys;
  }

  async #published(issuer: Issuer, read: (set: unknown) => Keys): Promise<Keys> {
    const { privateNetwork, issuerUrl } = issuer;
    const { fetchJson } = this.#parts;
    const base = issuerUrl.replace(/\/$/, "");
    let at = `${base}/.well-known/openid-configuration`;
    try {
      const discovery = await fetchJson({ url: new URL(at), privateNetwork });
      const url = keysUrl(discovery, issuerUrl);
      at = url.href;
      return read(await fetchJson({ url, privateNetwork }));
    } catch (cause) {
      throw new FederationError("unreachable", `${at}: ${whyOf(cause)}`, cause);
    }
  }

  #remember(name: string, known: Known<Keys>): void {
    if (this.#known.size >= ISSUERS_MAX && !this.#known.has(name)) this.#known.clear();
    this.#known.set(name, known);
  }
}

/** Of a failure of the system its code alone: the rest would tell of the network here. */
function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "it does not answer";
  return "code" in cause ? `it does not answer (${cause.code})` : cause.message;
}

/** What may be asked under other rules is kept apart. */
function nameOf({ issuerUrl, privateNetwork }: Issuer): string {
  return `${privateNetwork} ${issuerUrl}`;
}

/** Fails: Error when the document is another issuer's, or names no place that may be asked. */
function keysUrl(discovery: unknown, issuerUrl: string): URL {
  if (typeof discovery !== "object" || discovery === null) throw new Error("it is no object");
  const { issuer, jwks_uri: text } = discovery as { issuer?: unknown; jwks_uri?: unknown };
  if (issuer !== issuerUrl) throw new Error("its issuer is not the one that was asked");
  if (typeof text !== "string" || !URL.canParse(text)) throw new Error("it has no jwks_uri");
  const url = new URL(text);
  const own = new URL(issuerUrl);
  const plain =
    url.protocol === "http:" && own.protocol === "http:" && isLoopbackHost(url.hostname);
  if (url.protocol !== "https:" && !plain) throw new Error("its jwks_uri is not https");
  if (url.username !== "" || url.password !== "") throw new Error("its jwks_uri names a user");
  return url;
}
