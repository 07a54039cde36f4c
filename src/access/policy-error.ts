/** What is wrong with a policy document: where, what, and how to mend it. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";

  /** `path` is the way to the fault, as `statements[1].actions[0]`; empty for the whole. */
  constructor(path: string, problem: string) {
    super(path === "" ? problem : `${path}: ${problem}`);
  }
}

const QUOTED_CHARS_MAX = 100;

/** A text of the document as a message may show it. */
export function quote(text: string): string {
  const short =
    text.length <= QUOTED_CHARS_MAX ? text : `${text.slice(0, QUOTED_CHARS_MAX).toWellFormed()}…`;
  return JSON.stringify(short);
}
