import { BLANK, TOKEN, tableOf, VALUE } from "#server/http1/bytes.ts";

/** Where in the framing of a chunked body the next byte stands. `bad` is 0, what no row leads away from. */
export const STATE = {
  bad: 0,
  /** Before the first digit of a chunk's size. */
  start: 1,
  size: 2,
  extensionStart: 3,
  extensionName: 4,
  extensionValueStart: 5,
  extensionValue: 6,
  quoted: 7,
  quotedPair: 8,
  quotedEnd: 9,
  sizeLf: 10,
  /** The line of a chunk's size has ended. */
  sized: 11,
  data: 12,
  dataCr: 13,
  dataLf: 14,
  trailerStart: 15,
  trailerName: 16,
  trailerValue: 17,
  trailerLf: 18,
  endLf: 19,
  end: 20,
} as const;

const HEX = tableOf("0123456789abcdefABCDEF");
const QUOTED_TEXT = VALUE.with(0x22, 0).with(0x5c, 0);

type Row = readonly [from: number, by: Uint8Array | string, to: number];

const S = STATE;
/** Spec: https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
const ROWS: readonly Row[] = [
  [S.start, HEX, S.size],
  [S.size, HEX, S.size],
  [S.size, ";", S.extensionStart],
  [S.size, "\r", S.sizeLf],
  [S.extensionStart, TOKEN, S.extensionName],
  [S.extensionName, TOKEN, S.extensionName],
  [S.extensionName, "=", S.extensionValueStart],
  [S.extensionName, ";", S.extensionStart],
  [S.extensionName, "\r", S.sizeLf],
  [S.extensionValueStart, TOKEN, S.extensionValue],
  [S.extensionValueStart, '"', S.quoted],
  [S.extensionValue, TOKEN, S.extensionValue],
  [S.extensionValue, ";", S.extensionStart],
  [S.extensionValue, "\r", S.sizeLf],
  [S.quoted, QUOTED_TEXT, S.quoted],
  [S.quoted, "\\", S.quotedPair],
  [S.quoted, '"', S.quotedEnd],
  [S.quotedPair, VALUE, S.quoted],
  [S.quotedEnd, ";", S.extensionStart],
  [S.quotedEnd, "\r", S.sizeLf],
  [S.sizeLf, "\n", S.sized],
  [S.dataCr, "\r", S.dataLf],
  [S.dataLf, "\n", S.start],
  [S.trailerStart, TOKEN, S.trailerName],
  [S.trailerStart, "\r", S.endLf],
  [S.trailerName, TOKEN, S.trailerName],
  [S.trailerName, ":", S.trailerValue],
  [S.trailerValue, VALUE, S.trailerValue],
  [S.trailerValue, BLANK, S.trailerValue],
  [S.trailerValue, "\r", S.trailerLf],
  [S.trailerLf, "\n", S.trailerStart],
  [S.endLf, "\n", S.end],
];

/** The state after a byte in a state, at `state << 8 | byte`. */
export const NEXT: Uint8Array = transitions();

function transitions(): Uint8Array {
  const next = new Uint8Array(Object.keys(STATE).length << 8);
  for (const [from, by, to] of ROWS) {
    const table = typeof by === "string" ? tableOf(by) : by;
    for (const [byte, may] of table.entries()) if (may === 1) next[(from << 8) | byte] = to;
  }
  return next;
}
