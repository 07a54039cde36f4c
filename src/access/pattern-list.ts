import { type Matches, matcherOf, type Token } from "#access/pattern.ts";

/** Up to so many texts are faster compared one by one than looked up. */
const FEW = 8;

interface Beginning {
  readonly text: string;
  /** Index of its last character; that character. */
  readonly last: number;
  readonly lastCode: number;
}

/**
 * Several patterns, of which one must match. Decisions spend their time here, so patterns are sorted
 * by how they can be compared: most are a whole text, or a beginning.
 */
export class PatternList {
  readonly #everything: boolean;
  readonly #few: readonly string[];
  readonly #many: ReadonlySet<string> | undefined;
  readonly #beginnings: readonly Beginning[];
  readonly #others: readonly Matches[];
  /** One decision asks many statements, which often share a list, about one text. */
  #asked: string | undefined;
  #answer = false;

  constructor(patterns: readonly (readonly Token[])[]) {
    const whole: string[] = [];
    const beginnings: string[] = [];
    const others: Matches[] = [];
    let everything = false;
    for (const tokens of patterns) {
      const [first, star, ...rest] = tokens;
      const isShort = rest.length === 0 && (star === undefined || star.kind === "many");
      if (!isShort || first === undefined || first.kind === "one") others.push(matcherOf(tokens));
      else if (first.kind === "many") everything = true;
      else if (star === undefined) whole.push(first.text);
      else beginnings.push(first.text);
    }
    this.#everything = everything;
    this.#few = whole.length <= FEW ? whole : [];
    this.#many = whole.length <= FEW ? undefined : new Set(whole);
    this.#beginnings = beginnings.map((text) => {
      const last = text.length - 1;
      return { text, last, lastCode: text.charCodeAt(last) };
    });
    this.#others = others;
  }

  matches(text: string): boolean {
    if (this.#everything) return true;
    if (text !== this.#asked) {
      this.#answer = this.#compare(text);
      this.#asked = text;
    }
    return this.#answer;
  }

  #compare(text: string): boolean {
    const few = this.#few;
    for (let at = 0; at < few.length; at += 1) if (few[at] === text) return true;
    const beginnings = this.#beginnings;
    for (let at = 0; at < beginnings.length; at += 1) {
      const beginning = beginnings[at];
      if (beginning !== undefined && begins(text, beginning)) return true;
    }
    if (this.#many?.has(text) === true) return true;
    return this.#others.some((other) => other(text));
  }
}

/** Most texts differ at the last character already. */
function begins(text: string, { text: beginning, last, lastCode }: Beginning): boolean {
  return text.charCodeAt(last) === lastCode && text.startsWith(beginning);
}

/** Lists of one document, of which equal ones are one. */
export class PatternLists {
  readonly #known = new Map<string, PatternList>();

  of(patterns: readonly (readonly Token[])[]): PatternList {
    const name = JSON.stringify(patterns);
    const list = this.#known.get(name) ?? new PatternList(patterns);
    this.#known.set(name, list);
    return list;
  }
}
