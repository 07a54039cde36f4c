import { HmacSha256 } from "#base/hmac.ts";
import type { Scope } from "#s3/signature/scope.ts";

const SECRETS_MAX = 4096;
/** Of one secret: days, regions and services in use. */
const SCOPES_MAX = 64;

/** By secret, and by the text of their scope. */
const keys = new Map<string, Map<string, HmacSha256>>();

/** A key, and what to call when it has proved good; undefined when it has before. */
export interface FoundKey {
  readonly key: HmacSha256;
  readonly remember: (() => void) | undefined;
}

/**
 * The key that signs within a scope, derived from the secret by four HMACs or remembered. Only one that
 * has proved good is remembered, so that a stranger's guesses push out nobody's.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function signingKey(secret: string, scope: Scope): FoundKey {
  const known = keys.get(secret)?.get(scope.text);
  if (known !== undefined) return { key: known, remember: undefined };
  const key = deriveKey(secret, scope);
  return { key, remember: () => remember(secret, scope, key) };
}

function remember(secret: string, { text }: Scope, key: HmacSha256): void {
  const ofSecret = keys.get(secret) ?? new Map<string, HmacSha256>();
  makeRoom(ofSecret, SCOPES_MAX);
  ofSecret.set(text, key);
  if (!keys.has(secret)) makeRoom(keys, SECRETS_MAX);
  keys.set(secret, ofSecret);
}

/** The oldest goes. */
function makeRoom(map: Map<string, unknown>, most: number): void {
  const oldest = map.keys().next();
  if (map.size >= most && oldest.done === false) map.delete(oldest.value);
}

function deriveKey(secret: string, scope: Scope): HmacSha256 {
  const words = [scope.date, scope.region, scope.service, "aws4_request"];
  const start: Buffer = Buffer.from(`AWS4${secret}`);
  return new HmacSha256(words.reduce((key, word) => new HmacSha256(key).digest(word), start));
}
