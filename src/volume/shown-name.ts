import { isUtf8 } from "node:buffer";

/**
 * Bytes as a string, one character a byte (latin1). Names of files are bytes, and such strings compare
 * as bytes do; ASCII is itself.
 */
export type Bytes = string;

const NOT_ASCII = /[\x80-\xff]/;

/** The UTF-8 bytes of a text. */
export function bytesOf(text: string): Bytes {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString("latin1");
}

/** The text whose UTF-8 the bytes are. */
export function textOf(bytes: Bytes): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/**
 * A file name as it stands in a key. Names that are UTF-8 stand for themselves. In one that is not,
 * each byte that is no part of a character, and each `%`, is percent-encoded: `a\xff%` is `a%FF%25`.
 * So that no two names look alike, a name that is UTF-8 and looks like such a one has its `%` encoded
 * once more: the file `a%FF` is `a%25FF`, and the file `a%25FF` is `a%2525FF`.
 */
export function showName(name: Bytes): Bytes {
  if (!/[%\x80-\xff]/.test(name)) return name;
  if (!isText(name)) return encode(name);
  return looksEncoded(name) ? name.replaceAll("%", "%25") : name;
}

/** The file name that is shown so; every key part is that of exactly one name. */
export function nameShownAs(shown: Bytes): Bytes {
  if (!shown.includes("%")) return shown;
  if (isEncoded(shown)) return decode(shown);
  return looksEncoded(shown) ? shown.replaceAll("%25", "%") : shown;
}

/** Whether it is an encoded name, or one with its `%` encoded again any number of times. */
function looksEncoded(text: Bytes): boolean {
  for (let at = text; ; at = at.replaceAll("%25", "%")) {
    if (isEncoded(at)) return true;
    if (!at.includes("%25") || /%(?!25)/.test(at)) return false;
  }
}

function isEncoded(text: Bytes): boolean {
  const bytes = decode(text);
  return !isText(bytes) && encode(bytes) === text;
}

function decode(text: Bytes): Bytes {
  return text.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function encode(bytes: Bytes): Bytes {
  let shown = "";
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] === "%" ? 0 : characterBytes(bytes, at);
    shown +=
      length > 0
        ? bytes.slice(at, at + length)
        : `%${bytes.charCodeAt(at).toString(16).toUpperCase().padStart(2, "0")}`;
    at += Math.max(1, length);
  }
  return shown;
}

/** Of the UTF-8 character that begins there; 0 for none. */
function characterBytes(bytes: Bytes, at: number): number {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return 1;
  let length = 4;
  if (first < 0xf0) length = first < 0xe0 ? 2 : 3;
  const character = bytes.slice(at, at + length);
  return character.length === length && isText(character) ? length : 0;
}

function isText(bytes: Bytes): boolean {
  return !NOT_ASCII.test(bytes) || isUtf8(Buffer.from(bytes, "latin1"));
}
