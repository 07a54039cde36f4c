/**
 * What each byte of a head may be, as tables of 256: 1 where it may.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2, https://www.rfc-editor.org/rfc/rfc9110#section-5.5
 */
export const TOKEN = tableOf(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);

/** Of a field's value: no control character but the tab; anything from 0x80 on. */
export const VALUE = rangesOf([0x09, 0x09], [0x20, 0x7e], [0x80, 0xff]);

/** Of a request target: whatever can be seen in ASCII. What it means is for others to say. */
export const VISIBLE = rangesOf([0x21, 0x7e]);

/** White space around a field's value. */
export const BLANK = tableOf(" \t");

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

export function tableOf(characters: string): Uint8Array {
  return rangesOf(...Array.from(Buffer.from(characters), (byte): Range => [byte, byte]));
}

/** Both ends are included. */
type Range = readonly [first: number, last: number];

function rangesOf(...ranges: readonly Range[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const [first, last] of ranges) table.fill(1, first, last + 1);
  return table;
}
