import { ControlError } from "#base/control-error.ts";
import { randomBelow } from "#base/random.ts";

const DURATION_SECONDS_MAX = 43_200;
const ATTRIBUTES_MAX = 15;
const ATTRIBUTE_NAME = /^(?!cw-|role|groups)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ATTRIBUTE_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";

export function newAccessKeyId(): string {
  return `CW${letters(UPPER, 14)}`;
}

export function newSecretKey(): string {
  return `cwo${letters(LOWER, 40)}`;
}

/** Ids of keys that are stored have letters alone. */
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
