import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from "jose";
import { FederationError } from "#federation/federation-error.ts";

/** Finds the key that signed a token. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** What a token says of itself. Nothing of it is true before `verifyToken`. */
export interface TokenClaim {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since 1970. */
  readonly expiry: number;
}

/** A token that an issuer has signed, for us and for now. */
export interface VerifiedToken {
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface TokenRules {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly nowMs: number;
}

/** Only what needs the issuer's private key: no `none`, and no HMAC, whose key would be a public one. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
const TOKEN_CHARS_MAX = 16_384;
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const KEYS_MAX = 100;
/** How far the clocks of issuers may be off. */
const LEEWAY_SECONDS = 60;

/** Fails: Error when it is no JWK set of at most 100 keys. */
export function readKeySet(set: unknown): KeySet {
  const { keys } = set as { keys?: unknown };
  if (Array.isArray(keys) && keys.length > KEYS_MAX)
    throw new Error(`it has over ${KEYS_MAX} keys`);
  return createLocalJWKSet(set as JSONWebKeySet);
}

/** Fails: FederationError "invalid", "expired". */
export function readToken(token: string, nowMs: number): TokenClaim {
  if (token.length > TOKEN_CHARS_MAX || !SHAPE.test(token)) {
    throw invalid(`it is no signed JWT of at most ${TOKEN_CHARS_MAX} characters`);
  }
  const { alg, payload } = decoded(token);
  if (!ALGORITHMS.includes(String(alg))) {
    throw invalid(`its algorithm is not one of ${ALGORITHMS.join(", ")}`);
  }
  const { iss, aud = [], exp } = payload;
  if (typeof iss !== "string") throw invalid("it has no issuer (iss)");
  if (typeof exp !== "number") throw invalid("it has no expiry (exp)");
  if (exp <= secondsOf(nowMs) - LEEWAY_SECONDS) throw expired();
  const audiences = [aud].flat().filter((each) => typeof each === "string");
  return { issuer: iss, audiences, expiry: exp };
}

/**
 * Fails: FederationError "invalid", "expired". `undefined`: none of the keys is the token's, which the
 * issuer may have changed.
 */
export async function verifyToken(
  token: string,
  keys: KeySet,
  { issuer, audiences, nowMs }: TokenRules,
): Promise<VerifiedToken | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer,
      audience: [...audiences],
      currentDate: new Date(nowMs),
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ["exp", "iat", "sub"],
    });
    requireIssued(payload, nowMs);
    if (typeof payload.sub !== "string") throw invalid("it has no subject (sub)");
    return { subject: payload.sub, claims: payload };
  } catch (cause) {
    if (cause instanceof FederationError) throw cause;
    if (cause instanceof errors.JWKSNoMatchingKey) return undefined;
    if (cause instanceof errors.JWTExpired) throw expired();
    throw invalid(problemOf(cause), cause);
  }
}

function decoded(token: string): { readonly alg: unknown; readonly payload: JWTPayload } {
  try {
    const { alg } = decodeProtectedHeader(token);
    return { alg, payload: decodeJwt(token) };
  } catch (cause) {
    throw invalid("its header or payload cannot be read", cause);
  }
}

/** The library looks at `iat` only to limit a token's age. */
function requireIssued({ iat }: JWTPayload, nowMs: number): void {
  if (typeof iat === "number" && iat <= secondsOf(nowMs) + LEEWAY_SECONDS) return;
  throw invalid("it was issued in the future (iat)");
}

function problemOf(cause: unknown): string {
  if (cause instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = cause;
    return reason === "missing" ? `it has no ${claim}` : `its ${claim} is not right`;
  }
  if (cause instanceof errors.JWKSMultipleMatchingKeys) {
    return "it names no key (kid), and the issuer has several";
  }
  return "its signature is not the issuer's";
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1_000);
}

function expired(): FederationError {
  return new FederationError("expired", "Invalid token: it has expired (exp)");
}

function invalid(problem: string, cause?: unknown): FederationError {
  return new FederationError("invalid", `Invalid token: ${problem}`, cause);
}
