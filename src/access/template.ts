import { didYouMean } from "#access/nearest.ts";
import { matcherOf, type Token } from "#access/pattern.ts";
import type { Place } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";

/** What a request puts where a policy has a variable; undefined when it has no such value. */
export type Resolve = (variable: string) => string | undefined;

interface Variable {
  readonly kind: "variable";
  readonly name: string;
  /** As in `${aws:username, 'nobody'}`. */
  readonly otherwise: string | undefined;
}

/** A text of a policy in which variables may stand. */
export interface Template {
  readonly tokens: readonly (Token | Variable)[];
  /** Variables that a request may leave without a value. */
  readonly needed: readonly string[];
}

export interface TemplateReading {
  /** Whether `*` and `?` stand for other characters. */
  readonly wildcards: boolean;
  /** Undefined where variables may stand; otherwise why they may not, and what to do. */
  readonly noVariables: string | undefined;
}

/** Only what tells who asks: the rest of a request its sender can choose. */
const VARIABLES = ["aws:PrincipalArn", "aws:PrincipalOrgID", "aws:username", "cw:PrincipalOrgID"];

const PIECE = /\$\{([^{}]*)\}|[*?]|\$(?!\{)|[^*?$]+|\$\{/g;
const SPOKEN = /^\s*([\w:-]+)\s*(?:,\s*'([^']*)'\s*)?$/;

/**
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * Fails: PolicyError for a variable that is unknown, or may not stand here: never is `${` a text.
 */
export function readTemplate(place: Place<string>, reading: TemplateReading): Template {
  const tokens = [...place.value.matchAll(PIECE)].map(([piece, inner]): Token | Variable => {
    if (piece.startsWith("${")) return readVariable(place, inner, reading);
    if (reading.wildcards && piece === "*") return { kind: "many" };
    if (reading.wildcards && piece === "?") return { kind: "one" };
    return { kind: "text", text: piece };
  });
  const needed = tokens.flatMap((token) =>
    token.kind === "variable" && token.otherwise === undefined ? [token.name] : [],
  );
  return { tokens, needed };
}

function readVariable(
  { path, value }: Place<string>,
  inner: string | undefined,
  { noVariables }: TemplateReading,
): Token | Variable {
  if (noVariables !== undefined) {
    throw new PolicyError(path, `${quote(value)} has a policy variable. ${noVariables}`);
  }
  if (inner === "*" || inner === "?" || inner === "$") return { kind: "text", text: inner };
  if (inner === undefined) {
    const mend = `Close it with }, or write \${$} for a dollar sign.`;
    throw new PolicyError(path, `${quote(value)} has a policy variable without an end. ${mend}`);
  }
  const [, spoken = inner, otherwise] = SPOKEN.exec(inner) ?? [];
  const name = VARIABLES.find((known) => known.toLowerCase() === spoken.toLowerCase());
  if (name === undefined) {
    const mend = didYouMean(spoken, VARIABLES) || ` Known are ${VARIABLES.join(", ")}.`;
    throw new PolicyError(
      path,
      `${quote(`\${${inner}}`)} is no policy variable known here.${mend}`,
    );
  }
  return { kind: "variable", name, otherwise };
}

export type TextTest = (text: string, resolve: Resolve) => boolean;

/** A variable without a value makes the whole text match nothing. */
export function testOf({ tokens }: Pick<Template, "tokens">): TextTest {
  const plain = tokens.filter((token) => token.kind !== "variable");
  if (plain.length === tokens.length) return matcherOf(plain);
  return (text, resolve) => {
    const filled = fill(tokens, resolve);
    return filled !== undefined && matcherOf(filled)(text);
  };
}

/** As testOf, for whom `A` is `a`. */
export function foldedTestOf({ tokens }: Pick<Template, "tokens">): TextTest {
  const test = testOf({ tokens: tokens.map(folded) });
  return (text, resolve) => test(text.toLowerCase(), (name) => resolve(name)?.toLowerCase());
}

function folded(token: Token | Variable): Token | Variable {
  if (token.kind === "text") return { ...token, text: token.text.toLowerCase() };
  if (token.kind !== "variable") return token;
  return { ...token, otherwise: token.otherwise?.toLowerCase() };
}

function fill(tokens: Template["tokens"], resolve: Resolve): readonly Token[] | undefined {
  const filled: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== "variable") {
      filled.push(token);
      continue;
    }
    const text = resolve(token.name) ?? token.otherwise;
    if (text === undefined) return undefined;
    // What a request says is never a wildcard.
    filled.push({ kind: "text", text });
  }
  return filled;
}

/** The six parts of an ARN, each a pattern of its own. Undefined when there are fewer. */
export function arnParts({ tokens }: Template): readonly Pick<Template, "tokens">[] | undefined {
  const parts: (Token | Variable)[][] = [[]];
  for (const token of tokens) {
    let text = token.kind === "text" ? token.text : "";
    while (parts.length < ARN_PARTS && text.includes(":")) {
      const colon = text.indexOf(":");
      parts.at(-1)?.push({ kind: "text", text: text.slice(0, colon) });
      parts.push([]);
      text = text.slice(colon + 1);
    }
    parts.at(-1)?.push(token.kind === "text" ? { kind: "text", text } : token);
  }
  return parts.length < ARN_PARTS ? undefined : parts.map((part) => ({ tokens: part }));
}

/** The texts between the first five colons. Undefined for what is no ARN. */
export function arnTexts(arn: string): readonly string[] | undefined {
  const texts = arn.split(":");
  if (texts.length < ARN_PARTS) return undefined;
  return [...texts.slice(0, ARN_PARTS - 1), texts.slice(ARN_PARTS - 1).join(":")];
}

const ARN_PARTS = 6;

/** Whether a template says one thing only, whoever asks. */
export function isFixed({ tokens }: Template): boolean {
  return tokens.every((token) => token.kind === "text" && !/[*?]/.test(token.text));
}
