/** A piece of a pattern: a text as it is, `?` (one character), `*` (any characters, also none). */
export type Token =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "many" };

export type Matches = (text: string) => boolean;

/** Reads `*` and `?`; nothing escapes them. */
export function tokensOf(pattern: string): readonly Token[] {
  return (pattern.match(/[*?]|[^*?]+/g) ?? []).map((piece): Token => {
    if (piece === "*") return { kind: "many" };
    return piece === "?" ? { kind: "one" } : { kind: "text", text: piece };
  });
}

/**
 * A test of whole texts. It goes through the text once and never back: what lies between two stars
 * is best found where it comes first. `?` is a character of Unicode, not half of one.
 */
export function matcherOf(tokens: readonly Token[]): Matches {
  const [first, ...rest] = segmentsOf(tokens);
  const last = rest.pop();
  if (last === undefined) return first.whole;
  return (text) => {
    let at = first.start(text);
    for (let index = 0; at >= 0 && index < rest.length; index += 1) {
      at = rest[index]?.find(text, at) ?? -1;
    }
    return at >= 0 && last.end(text, at);
  };
}

/** What stands between two stars; a place is told by the index after it, -1 for none. */
interface Segment {
  readonly whole: Matches;
  readonly start: (text: string) => number;
  readonly find: (text: string, from: number) => number;
  readonly end: (text: string, from: number) => boolean;
}

function segmentsOf(tokens: readonly Token[]): readonly [Segment, ...Segment[]] {
  const pieces: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "many") pieces.push([]);
    else pieces.at(-1)?.push(token);
  }
  const [first = plain(""), ...rest] = pieces.map(segmentOf);
  return [first, ...rest];
}

function segmentOf(tokens: readonly Token[]): Segment {
  if (tokens.every(({ kind }) => kind === "text")) return plain(tokens.map(textOf).join(""));
  const source = tokens.map((token) => (token.kind === "one" ? "." : escaped(token))).join("");
  return withHoles(source);
}

function plain(piece: string): Segment {
  const { length } = piece;
  return {
    whole: (text) => text === piece,
    start: (text) => (text.startsWith(piece) ? length : -1),
    find: (text, from) => {
      const at = text.indexOf(piece, from);
      return at < 0 ? -1 : at + length;
    },
    end: (text, from) => text.length - length >= from && text.endsWith(piece),
  };
}

/** An expression without repetition, so it cannot take long at any one place. */
function withHoles(source: string): Segment {
  const whole = new RegExp(`^${source}$`, "su");
  const start = new RegExp(source, "suy");
  const find = new RegExp(source, "sug");
  const end = new RegExp(`${source}$`, "sug");
  const endOf = (expression: RegExp, text: string, from: number): number => {
    expression.lastIndex = from;
    return expression.test(text) ? expression.lastIndex : -1;
  };
  return {
    whole: (text) => whole.test(text),
    start: (text) => endOf(start, text, 0),
    find: (text, from) => endOf(find, text, from),
    end: (text, from) => endOf(end, text, from) >= 0,
  };
}

function textOf(token: Token): string {
  return token.kind === "text" ? token.text : "";
}

function escaped(token: Token): string {
  return RegExp.escape(textOf(token));
}

/** Whether some text that begins with `prefix` and goes on is one that the pattern matches. */
export function reachesBelow(tokens: readonly Token[], prefix: string): boolean {
  const steps = tokens.flatMap((token) => (token.kind === "text" ? [...token.text] : [token.kind]));
  let live = past(new Set([0]), steps);
  for (const character of prefix) {
    const next = new Set<number>();
    for (const at of live) {
      const step = steps[at];
      if (step === "many") next.add(at);
      if (step === "one" || step === character) next.add(at + 1);
    }
    live = past(next, steps);
  }
  return [...live].some((at) => at < steps.length);
}

/** Adds the places that are reached because a star may stand for nothing. */
function past(live: Set<number>, steps: readonly string[]): Set<number> {
  for (const at of live) if (steps[at] === "many") live.add(at + 1);
  return live;
}
