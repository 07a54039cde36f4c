import { ControlError } from "#base/control-error.ts";
import { isLoopback } from "#base/loopback.ts";

/** An issuer of OIDC tokens that an organization trusts to name its workloads. */
export interface OidcConfiguration {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** As tokens spell it in `iss`, to the last character. */
  readonly issuerUrl: string;
  /** Those that a token may be meant for. */
  readonly audiences: readonly string[];
  readonly active: boolean;
  /**
   * The issuer's keys, a JWK set as JSON: then nothing is fetched. undefined: those that it publishes.
   */
  readonly jwks: string | undefined;
  /** The issuer may stand on a private network or on this machine, and be plain http on the latter. */
  readonly privateNetwork: boolean;
  /** A token may name its role itself, in the claim `https://coreweave.com/claims/role`. */
  readonly roleClaim: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export type OidcFields = Omit<OidcConfiguration, "id" | "createdMs" | "updatedMs">;

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DESCRIPTION_MAX = 256;
const ISSUER_MAX = 255;
const AUDIENCES_MAX = 20;
const AUDIENCE = /^[\x21-\x7e]{1,255}$/;
const JWKS_BYTES_MAX = 65_536;
const JWKS_KEYS_MAX = 100;

/** Fails: InvalidArgument, which says what is wrong. */
export function checkOidc(fields: OidcFields): void {
  checkName(fields);
  checkIssuer(fields);
  const { audiences, jwks } = fields;
  if (audiences.length === 0 || audiences.length > AUDIENCES_MAX) {
    throw refused("audiences", `give 1 to ${AUDIENCES_MAX}`);
  }
  const bad = audiences.find((audience) => !AUDIENCE.test(audience));
  if (bad !== undefined) {
    throw refused("audiences", `"${bad}": give 1 to 255 visible characters without spaces`);
  }
  if (jwks !== undefined) checkJwks(jwks);
}

/** Fails: InvalidArgument. */
export function checkName({ name, description }: Pick<OidcFields, "name" | "description">): void {
  if (!NAME.test(name)) throw refused("name", `"${name}": give 1 to 64 of A-Z a-z 0-9 - _`);
  if (description.length > DESCRIPTION_MAX) {
    throw refused("description", `give at most ${DESCRIPTION_MAX} characters`);
  }
}

/** Of a URL, which has addresses of version 6 in brackets. */
export function isLoopbackHost(hostname: string): boolean {
  return isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
}

export function refused(field: string, problem: string): ControlError {
  return new ControlError("InvalidArgument", `${field}: ${problem}`);
}

function checkIssuer({ issuerUrl, privateNetwork }: OidcFields): void {
  const url = URL.canParse(issuerUrl) ? new URL(issuerUrl) : undefined;
  const quoted = `"${issuerUrl.slice(0, ISSUER_MAX)}"`;
  if (url === undefined || issuerUrl.length > ISSUER_MAX || !isPlain(issuerUrl, url)) {
    const problem = `${quoted}: give a plain URL as https://issuer.example.com, without user, query or fragment, in lower case`;
    throw refused("issuerUrl", problem);
  }
  const here = isLoopbackHost(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && here)) {
    throw refused("issuerUrl", `${quoted}: an issuer is https; http is for loopback hosts alone`);
  }
  if (here && !privateNetwork) {
    const mend = "An operator may allow it with privateNetwork.";
    throw refused("issuerUrl", `${quoted} is this machine. ${mend}`);
  }
}

/** What we would write, so that nothing in it can be read in two ways. */
function isPlain(text: string, url: URL): boolean {
  const { username, password, search, hash, href } = url;
  if (username + password + search + hash !== "" || /[?#]/.test(text)) return false;
  return href === text || href === `${text}/`;
}

/** Keys for checking signatures, and no secret among them. */
function checkJwks(text: string): void {
  if (Buffer.byteLength(text) > JWKS_BYTES_MAX) {
    throw refused("jwks", `give at most ${JWKS_BYTES_MAX} bytes`);
  }
  const keys = keysOf(text);
  if (keys === undefined || keys.length === 0 || keys.length > JWKS_KEYS_MAX) {
    throw refused("jwks", `give a JWK set as JSON, {"keys": […]}, of 1 to ${JWKS_KEYS_MAX} keys`);
  }
  for (const key of keys) {
    if (typeof key !== "object" || key === null) throw refused("jwks", "a key is an object");
    if ("d" in key || "k" in key) {
      throw refused("jwks", "one of the keys is a private or a symmetric key. Give public keys.");
    }
  }
}

function keysOf(text: string): readonly unknown[] | undefined {
  try {
    const set: unknown = JSON.parse(text);
    const isSet = typeof set === "object" && set !== null && "keys" in set;
    return isSet && Array.isArray(set.keys) ? set.keys : undefined;
  } catch {
    return undefined;
  }
}
