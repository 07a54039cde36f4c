import { ControlError } from "#base/control-error.ts";
import { randomBelow } from "#base/random.ts";

const DURATION_SECONDS_MAX = 43_200;
const ATTRIBUTES_MAX = 15;
const ATTRIBUTE_NAME = /^(?!cw-|role|groups)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ATTRIBUTE_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";

/** No character that ends an id in a Credential (`/`, `,`, `=`), and none at its start that begins an option. */
const BROUGHT_ID = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{2,127}$/;
/**
 * As short as MinIO's and the root key's may be. A presigned URL lets whoever sees it guess at the
 * secret, and finds one that a person thought of: `lode key create` and docs/migrating.md say so.
 */
const BROUGHT_SECRET = /^[\x21-\x7e]{8,128}$/;

/** What a client signs with. */
export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretKey: string;
}

export function newKeyPair(): KeyPair {
  return { accessKeyId: `CW${letters(UPPER, 14)}`, secretKey: newSecretKey() };
}

export function newSecretKey(): string {
  return `cwo${letters(LOWER, 40)}`;
}

/** Of a pair that somebody else made. Fails: InvalidArgument, which does not tell the secret. */
export function checkKeyPair({ accessKeyId, secretKey }: KeyPair): void {
  if (!BROUGHT_ID.test(accessKeyId)) {
    const message =
      "accessKeyId: give 3 to 128 of A-Z a-z 0-9 _ . @ + - that begin with a letter, a digit or _";
    throw new ControlError("InvalidArgument", message);
  }
  if (isSessionKeyId(accessKeyId)) {
    const message = `accessKeyId: "${accessKeyId}" has the form of keys that are not stored`;
    throw new ControlError("InvalidArgument", message);
  }
  if (BROUGHT_SECRET.test(secretKey)) return;
  const message = "secretKey: give 8 to 128 printable characters of ASCII without spaces";
  throw new ControlError("InvalidArgument", message);
}

/** Ids of keys that are made here and stored have letters alone, and no other may be like these. */
export const SESSION_KEY_PREFIX = "CW0";

/** Of a key that is not stored: whether it is one of an organization cannot be told from it. */
export function isSessionKeyId(accessKeyId: string): boolean {
  return SESSION_KEY_ID.test(accessKeyId);
}

const SESSION_KEY_ID = /^CW0[A-Z]{13}$/;

function letters(alphabet: string, count: number): string {
  const chars = Array.from({ length: count }, () => alphabet[randomBelow(alphabet.length)]);
  return chars.join("");
}

/** Fails: InvalidArgument. */
export function checkDuration(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= DURATION_SECONDS_MAX) return;
  const message = `durationSeconds: give 0 (permanent) or at most ${DURATION_SECONDS_MAX} (12 hours)`;
  throw new ControlError("InvalidArgument", message);
}

/** Fails: InvalidArgument. */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) {
    throw new ControlError("InvalidArgument", `attributes: at most ${ATTRIBUTES_MAX}`);
  }
  for (const [name, value] of entries) {
    if (!ATTRIBUTE_NAME.test(name)) {
      const message = `attributes["${name}"]: a key is a lower-case DNS label that does not begin with cw-, role or groups`;
      throw new ControlError("InvalidArgument", message);
    }
    if (!ATTRIBUTE_VALUE.test(value)) {
      const message = `attributes["${name}"]: a value has up to 63 of A-Z a-z 0-9 . _ - and begins and ends with a letter or digit`;
      throw new ControlError("InvalidArgument", message);
    }
  }
}
