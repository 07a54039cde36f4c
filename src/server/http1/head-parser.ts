import { BLANK, COLON, CR, LF, SP, TOKEN, VALUE, VISIBLE } from "#server/http1/bytes.ts";
import { METHOD_CHARS_MAX, METHODS } from "#server/http1/methods.ts";
import { lowerName } from "#server/http1/names.ts";
import { isTarget } from "#server/http1/target.ts";
import type { Limits } from "#server/limits.ts";

/** A request up to the empty line. */
export interface Head {
  readonly method: string;
  readonly target: string;
  /** 0 or 1: of HTTP/1.0 or HTTP/1.1. */
  readonly minorVersion: number;
  /** Names in lower case and values in turn; values as latin1 strings. */
  readonly rawHeaders: readonly string[];
  /** With the empty lines before it and the one at its end. */
  readonly sizeBytes: number;
}

/** "empty": nothing but empty lines. */
export type Unparsed = "empty" | "incomplete" | "malformed" | "headers-too-large";

const VERSION = Buffer.from("HTTP/1.");
const [ZERO, ONE] = Buffer.from("01");

/**
 * Reads heads strictly, in one pass over their bytes: a line ends in CR LF and nothing else, one space parts
 * method, target and version, a name touches its colon, and no value goes on in the next line. It keeps nothing
 * from one call to the next: who has more of a head gives it as a whole.
 *
 * Differs: RFC 9112 lets a server be lenient with white space and lone LFs. Two readers that are lenient in
 * different ways are what request smuggling needs.
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-2.2, #section-3, #section-5
 */
export class HeadParser {
  readonly #limits: Pick<Limits, "headerBytesMax" | "headersMax">;
  /** For each header: where its name starts and ends, and its value. */
  readonly #marks: Int32Array;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  constructor(limits: Pick<Limits, "headerBytesMax" | "headersMax">) {
    this.#limits = limits;
    this.#marks = new Int32Array(4 * limits.headersMax);
  }

  /** The head at the start of `bytes`, or why there is none. */
  parse(bytes: Buffer): Head | Unparsed {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = Math.min(bytes.length, this.#limits.headerBytesMax);
    if (!this.#skipEmptyLines()) return this.#at < this.#end ? "malformed" : this.#unfinished();
    const start = this.#at;
    if (start === this.#end) return this.#unfinished();
    const methodEnd = this.#readWord(TOKEN);
    if (this.#at - start > METHOD_CHARS_MAX + 1) return "malformed";
    const targetEnd = methodEnd < 0 ? -1 : this.#readWord(VISIBLE);
    if (targetEnd < 0 || !this.#readVersion()) return this.#stopped();
    const minorVersion = (this.#bytes[this.#at - 3] ?? 0) - (ZERO ?? 0);
    const count = this.#readHeaders();
    if (count < 0) return this.#stopped();
    if (count > this.#limits.headersMax) return "headers-too-large";
    const text = bytes.toString("latin1", 0, this.#at);
    const method = METHODS.get(text.slice(start, methodEnd));
    const target = text.slice(methodEnd + 1, targetEnd);
    if (method === undefined || !isTarget(target, method)) return "malformed";
    const rawHeaders = this.#stringsOf(text, count);
    return { method, target, minorVersion, rawHeaders, sizeBytes: this.#at };
  }

  /** At the end of what may be read. */
  #unfinished(): Unparsed {
    if (this.#end >= this.#limits.headerBytesMax) return "headers-too-large";
    const bytes = this.#bytes;
    const begun = bytes.some((byte) => byte !== CR && byte !== LF);
    return begun ? "incomplete" : "empty";
  }

  #stopped(): Unparsed {
    return this.#at < this.#end ? "malformed" : this.#unfinished();
  }

  /** Clients of old sent one behind a body. */
  #skipEmptyLines(): boolean {
    while (this.#bytes[this.#at] === CR) if (!this.#readLineEnd()) return false;
    return true;
  }

  /** Up to the space behind it, and over that; answers where it ends, or -1. */
  #readWord(table: Uint8Array): number {
    const start = this.#at;
    this.#skip(table);
    const end = this.#at;
    if (end === start || end >= this.#end || this.#bytes[end] !== SP) return -1;
    this.#at += 1;
    return end;
  }

  #readVersion(): boolean {
    for (const byte of VERSION) if (!this.#readByte(byte)) return false;
    const minor = this.#bytes[this.#at];
    if (minor !== ZERO && minor !== ONE) return false;
    this.#at += 1;
    return this.#readLineEnd();
  }

  /** Up to and over the empty line; answers how many, one too many at the most, or -1. */
  #readHeaders(): number {
    const bytes = this.#bytes;
    const most = this.#limits.headersMax;
    for (let count = 0; ; count += 1) {
      if (bytes[this.#at] === CR) return this.#readLineEnd() ? count : -1;
      if (count === most) return this.#at < this.#end ? count + 1 : -1;
      if (!this.#readHeader(4 * count)) return -1;
    }
  }

  #readHeader(mark: number): boolean {
    const marks = this.#marks;
    const nameStart = this.#at;
    this.#skip(TOKEN);
    const nameEnd = this.#at;
    if (nameEnd === nameStart || !this.#readByte(COLON)) return false;
    this.#skip(BLANK);
    const valueStart = this.#at;
    this.#skip(VALUE);
    marks[mark] = nameStart;
    marks[mark + 1] = nameEnd;
    marks[mark + 2] = valueStart;
    marks[mark + 3] = this.#trimmed(valueStart);
    return this.#readLineEnd();
  }

  /** Where a value ends without the blanks behind it. */
  #trimmed(start: number): number {
    let end = this.#at;
    while (end > start && BLANK[this.#bytes[end - 1] ?? 0] === 1) end -= 1;
    return end;
  }

  #skip(table: Uint8Array): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    while (at < end && table[bytes[at] ?? 0] === 1) at += 1;
    this.#at = at;
  }

  #readLineEnd(): boolean {
    return this.#readByte(CR) && this.#readByte(LF);
  }

  #readByte(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #stringsOf(text: string, count: number): string[] {
    const strings: string[] = [];
    const marks = this.#marks;
    for (let mark = 0; mark < 4 * count; mark += 4) {
      const valueEnd = marks[mark + 3] ?? 0;
      const name = lowerName(text.slice(marks[mark], marks[mark + 1]));
      const isDoubtful = name === "transfer-encoding" && hasTabBehind(text, valueEnd);
      strings.push(name, text.slice(marks[mark + 2], isDoubtful ? valueEnd + 1 : valueEnd));
    }
    return strings;
  }
}

/** Not every parser takes a tab for white space there, so that it stays, and the coding is an unknown one. */
function hasTabBehind(text: string, valueEnd: number): boolean {
  return text.slice(valueEnd, text.indexOf("\r", valueEnd)).includes("\t");
}
