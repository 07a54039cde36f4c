import { below, type Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";

/** White space is not counted, as AWS does not; but neither is it endless. */
const WHITE_SPACE_FACTOR = 4;

/**
 * Reads a policy document. A field that is written twice is refused: readers take the first or the
 * last, and a person who reads the policy must not be misled about which.
 *
 * Differs: AWS takes the last of two fields of one name.
 * Fails: PolicyError.
 */
export function readPolicyJson(text: string, bytesMax: number): Place {
  if (text[0] !== "{") {
    throw new PolicyError("", "Policies must be valid JSON and the first byte must be '{'");
  }
  if (Buffer.byteLength(text) > bytesMax * WHITE_SPACE_FACTOR) throw tooLarge(bytesMax);
  // What is not UTF-8 has been made this character on the way here.
  if (text.includes("\uFFFD")) {
    throw new PolicyError(
      "",
      "The policy must be UTF-8. Write a replacement character as \\ufffd.",
    );
  }
  requireShallow(text);
  const value = parse(text);
  if (Buffer.byteLength(JSON.stringify(value)) > bytesMax) throw tooLarge(bytesMax);
  requireOnce(text);
  return { path: "", value };
}

function tooLarge(bytesMax: number): PolicyError {
  const problem = `Policy exceeds the maximum allowed document size of ${bytesMax} bytes.`;
  return new PolicyError("", `${problem} Join statements, or use wildcards.`);
}

/** A policy needs seven levels; thousands would overflow the stack of whoever walks them. */
const DEPTH_MAX = 16;

function requireShallow(text: string): void {
  let depth = 0;
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece === "{" || piece === "[") depth += 1;
    else if (piece === "}" || piece === "]") depth -= 1;
    if (depth > DEPTH_MAX) {
      throw new PolicyError("", `The policy is nested more than ${DEPTH_MAX} levels deep.`);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PolicyError("", `This policy contains invalid Json: ${cause.message}`);
  }
}

/** An object or a list that is open at this point of the text. */
interface Open {
  readonly path: string;
  /** The fields seen so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  /** Where the next value goes: a field or an index. */
  at: string | number;
}

const PIECE = /("(?:[^"\\]|\\.)*")\s*(:?)|[{}[\],]/g;

/** Fails: PolicyError for the first field that is written twice, or text that is no Unicode. */
function requireOnce(text: string): void {
  const open: Open[] = [];
  for (const [piece, string, colon] of text.matchAll(PIECE)) {
    const top = open.at(-1);
    if (string !== undefined) readString(top, string, colon === ":");
    else if (piece === "{") open.push({ path: pathOf(top), names: new Set(), at: "" });
    else if (piece === "[") open.push({ path: pathOf(top), names: undefined, at: 0 });
    else if (piece !== ",") open.pop();
    else if (typeof top?.at === "number") top.at += 1;
  }
}

function readString(top: Open | undefined, source: string, isName: boolean): void {
  const text = JSON.parse(source) as string;
  if (top === undefined) return;
  if (isName) top.at = text;
  if (!text.isWellFormed()) {
    throw new PolicyError(pathOf(top), `${quote(text)} has half of a character.`);
  }
  if (!isName || top.names === undefined) return;
  if (top.names.has(text)) {
    throw new PolicyError(pathOf(top), "is written twice. Leave one of the two out.");
  }
  top.names.add(text);
}

function pathOf(top: Open | undefined): string {
  if (top === undefined) return "";
  if (typeof top.at === "number") return `${top.path}[${top.at}]`;
  return below(top.path, top.at);
}
