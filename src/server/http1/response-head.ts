import { systemClock } from "#base/clock.ts";
import type { HttpReply } from "#base/http.ts";
import { HT, SP, TOKEN } from "#server/http1/bytes.ts";
import { REASONS } from "#server/http1/reasons.ts";

/** What an answer says of its connection. */
export type Persistence = "close" | "keep-alive" | "unsaid";

/** What stands before an answer's body. */
export interface ResponseHead {
  readonly text: string;
  /** What it promises of the body; undefined when it does not say. */
  readonly bodyBytes: number | undefined;
}

/** What no header can hold; as it would end the header, it must never be written. */
class UnwritableHeader extends Error {
  override readonly name = "UnwritableHeader";
  readonly code: "ERR_INVALID_HTTP_TOKEN" | "ERR_INVALID_CHAR";

  constructor(code: UnwritableHeader["code"], name: string) {
    super(`the header ${JSON.stringify(name)} of an answer cannot be written`);
    this.code = code;
  }
}

const DEL = 0x7f;
const LATIN1_MAX = 0xff;

/**
 * The status line and the headers of an answer, without the empty line.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-4, #section-5, #section-9.6
 * Fails: UnwritableHeader.
 */
export function responseHead(
  { status, headers }: Pick<HttpReply, "status" | "headers">,
  persistence: Persistence,
): ResponseHead {
  let text = statusLine(status);
  let bodyBytes: number | undefined;
  let isDated = false;
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? "";
    requireName(name);
    requireValue(name, value);
    text += `${name}: ${value}\r\n`;
    if (name.length === LENGTH.length && name.toLowerCase() === LENGTH) bodyBytes = Number(value);
    else if (name.length === DATE.length && name.toLowerCase() === DATE) isDated = true;
  }
  if (!isDated) text += dateLine();
  if (persistence !== "unsaid") text += `Connection: ${persistence}\r\n`;
  return { text, bodyBytes };
}
const LENGTH = "content-length";
const DATE = "date";

function requireName(name: string): void {
  for (let at = 0; at < name.length; at += 1) {
    if (TOKEN[name.charCodeAt(at)] !== 1) {
      throw new UnwritableHeader("ERR_INVALID_HTTP_TOKEN", name);
    }
  }
  if (name === "") throw new UnwritableHeader("ERR_INVALID_HTTP_TOKEN", name);
}

function requireValue(name: string, value: string): void {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code >= SP && code < DEL) || (code > DEL && code <= LATIN1_MAX) || code === HT) continue;
    throw new UnwritableHeader("ERR_INVALID_CHAR", name);
  }
}

const STATUS_LINES: ReadonlyMap<number, string> = new Map(
  [...REASONS].map(([status, reason]) => [status, `HTTP/1.1 ${status} ${reason}\r\n`]),
);

function statusLine(status: number): string {
  return STATUS_LINES.get(status) ?? `HTTP/1.1 ${status} \r\n`;
}

let datedSecond = 0;
let dated = "";

/** It says seconds, so that it is made once in each. */
function dateLine(): string {
  const nowMs = systemClock.now();
  const second = Math.floor(nowMs / 1_000);
  if (second !== datedSecond) {
    datedSecond = second;
    dated = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
  }
  return dated;
}
