import { HmacSha256 } from "#base/hmac.ts";
import type { Scope } from "#s3/signature/scope.ts";

/** Keys in use within a day: one for each secret, region and service. */
const KEYS_MAX = 4096;

const keys = new Map<string, HmacSha256>();

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
  const name = keyName(secret, scope);
  const known = keys.get(name);
  if (known !== undefined) return { key: known, remember: undefined };
  const key = deriveKey(secret, scope);
  return { key, remember: () => remember(name, key) };
}

function remember(name: string, key: HmacSha256): void {
  const oldest = keys.keys().next();
  if (keys.size >= KEYS_MAX && oldest.done === false) keys.delete(oldest.value);
  keys.set(name, key);
}

/** A scope holds three slashes after the secret, so no two pairs share a name. */
function keyName(secret: string, scope: Scope): string {
  return `${secret}/${scope.text}`;
}

function deriveKey(secret: string, scope: Scope): HmacSha256 {
  const words = [scope.date, scope.region, scope.service, "aws4_request"];
  const start: Buffer = Buffer.from(`AWS4${secret}`);
  return new HmacSha256(words.reduce((key, word) => new HmacSha256(key).digest(word), start));
}
