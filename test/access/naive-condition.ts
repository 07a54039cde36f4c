import {
  type Json,
  list,
  type NaivePrincipal,
  type NaiveQuestion,
} from "#test/access/naive-question.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export function variablesOf({ kind, organizationId, name }: NaivePrincipal): Variables {
  const arn = kind === "anonymous" ? undefined : `arn:aws:iam::${organizationId}:${name}`;
  return {
    "aws:username": kind === "user" ? name.slice("coreweave/".length) : undefined,
    "aws:PrincipalArn": arn,
    "aws:PrincipalOrgID": organizationId,
    "cw:PrincipalOrgID": organizationId,
  };
}

/** Wildcards that are meant as letters go through as private characters. */
const LETTER: Readonly<Record<string, string>> = { "*": "\uE000", "?": "\uE001", $: "$" };

export function substitute(text: string, variables: Variables): string | undefined {
  let missing = false;
  const whole = text.replace(/\$\{([^}]*)\}/g, (_, inner: string) => {
    if (inner in LETTER) return LETTER[inner] ?? "";
    const [variable = "", otherwise] = inner.split(",");
    const fallback = otherwise?.trim().replace(/^'|'$/g, "");
    const value = variables[variable.trim()] ?? fallback;
    if (value === undefined) missing = true;
    return [...(value ?? "")].map((each) => LETTER[each] ?? each).join("");
  });
  return missing ? undefined : whole;
}

/** By keeping all the places of the pattern where one could be. */
export function naiveGlob(pattern: string, text: string): boolean {
  const glyphs = [...pattern];
  const skipStars = (from: Set<number>) => {
    for (const at of from) if (glyphs[at] === "*") from.add(at + 1);
    return from;
  };
  let reached = skipStars(new Set([0]));
  for (const letter of [...text].map((each) => (each === "$" ? each : (LETTER[each] ?? each)))) {
    const next = new Set<number>();
    for (const at of reached) {
      if (glyphs[at] === "*") next.add(at);
      else if (glyphs[at] === "?" || glyphs[at] === letter) next.add(at + 1);
    }
    reached = skipStars(next);
  }
  return reached.has(glyphs.length);
}

export function conditionsHold(
  block: unknown,
  question: NaiveQuestion,
  variables: Variables | undefined,
): boolean {
  return Object.entries((block ?? {}) as Record<string, Json>).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) =>
      conditionHolds(
        operator,
        list(wanted).map((each) => `${each}`),
        contextValue(key, question),
        variables ?? {},
      ),
    ),
  );
}

function contextValue(key: string, { principal, context }: NaiveQuestion) {
  const { kind, organizationId, name, groups } = principal;
  const lower = key.toLowerCase();
  const arn = variablesOf(principal)["aws:PrincipalArn"];
  let values: readonly string[] | undefined;
  if (lower === "aws:principalorgid" || lower === "cw:principalorgid")
    values = some(organizationId);
  else if (lower === "aws:principalarn") values = some(arn);
  else if (lower === "aws:username") values = kind === "user" ? [name.slice(10)] : undefined;
  else if (lower.startsWith("iam:")) {
    values = key.split(":")[1] === organizationId ? groups : undefined;
  } else {
    const found = Object.keys(context).find((each) =>
      each.includes("Tag/") ? each === key : each.toLowerCase() === lower,
    );
    values = found === undefined ? undefined : context[found];
  }
  return values?.length === 0 ? undefined : values;
}

function some(value: string | undefined): string[] | undefined {
  return value === undefined ? undefined : [value];
}

// biome-ignore lint/complexity/useMaxParams: it is one sentence of the documentation.
function conditionHolds(
  operator: string,
  wanted: readonly string[],
  values: readonly string[] | undefined,
  variables: Variables,
): boolean {
  if (operator === "Null") return wanted.includes(`${values === undefined}`);
  const [, set, base = "", ifExists] =
    /^(ForAnyValue:|ForAllValues:)?(.*?)(IfExists)?$/.exec(operator) ?? [];
  const negated = base.includes("Not");
  const matches = (value: string) =>
    wanted.some((each) => compares(base.replace("Not", ""), value, substitute(each, variables)));
  const passes = (value: string) => (negated ? !matches(value) : matches(value));
  if (set === "ForAnyValue:") return values?.some(passes) ?? false;
  if (set === "ForAllValues:") return values === undefined || values.every(passes);
  if (values === undefined) return negated || ifExists !== undefined;
  return negated ? values.every(passes) : values.some(passes);
}

function compares(operator: string, value: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  const letters = wanted.replaceAll("\uE000", "*").replaceAll("\uE001", "?");
  if (operator === "StringEquals") return value === letters;
  if (operator === "StringEqualsIgnoreCase") return value.toLowerCase() === letters.toLowerCase();
  if (operator === "StringLike") return naiveGlob(wanted, value);
  if (operator === "Bool") return value.toLowerCase() === wanted.toLowerCase();
  if (operator === "IpAddress") return inRange(value, wanted);
  if (operator.startsWith("Arn")) {
    const [a, b] = [sixParts(wanted), sixParts(value)];
    return a.length === 6 && b.length === 6 && a.every((part, at) => naiveGlob(part, b[at] ?? ""));
  }
  if (operator.startsWith("Numeric")) {
    return ordered(operator.slice("Numeric".length), numberOf(value), numberOf(wanted));
  }
  return ordered(operator.slice("Date".length), timeOf(value), timeOf(wanted));
}

function sixParts(arn: string): string[] {
  const [a = "", b = "", c = "", d = "", e = "", ...rest] = arn.split(":");
  return rest.length === 0 ? [] : [a, b, c, d, e, rest.join(":")];
}

function numberOf(text: string): number {
  return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN;
}

function timeOf(text: string): number {
  if (/^[0-9]{9,12}$/.test(text)) return Number(text) * 1_000;
  return /^\d{4}-\d\d-\d\d($|T.*(Z|[+-]\d\d:\d\d)$)/.test(text) ? Date.parse(text) : Number.NaN;
}

/** NaN is in no order with anything. */
function ordered(order: string, value: number, wanted: number): boolean {
  if (order === "Equals") return value === wanted;
  if (order === "LessThan") return value < wanted;
  if (order === "LessThanEquals") return value <= wanted;
  if (order === "GreaterThan") return value > wanted;
  return value >= wanted;
}

function inRange(text: string, range: string): boolean {
  const [host = "", length] = range.split("/");
  const [a, b] = [bitsOf(host), bitsOf(text)];
  if (a === undefined || b === undefined) return false;
  // IPv4 is compared as the last 32 of IPv6's 128 bits, which begin in a way of their own.
  const bits = length === undefined ? 128 : Number(length) + (host.includes(":") ? 0 : 96);
  const isWideSix = host.includes(":") && bits < 96;
  if (isWideSix && b.startsWith(bitsOf("0.0.0.0")?.slice(0, 96) ?? "")) return false;
  return a.slice(0, bits) === b.slice(0, bits);
}

export function bitsOf(text: string): string | undefined {
  const host = text.split("%")[0] ?? "";
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/i.exec(host);
  if (four !== null) {
    const bytes = four.slice(1).map((each) => Number(each).toString(2).padStart(8, "0"));
    return "0".repeat(80) + "1".repeat(16) + bytes.join("");
  }
  if (!host.includes(":")) return undefined;
  const [left = "", right] = host.split("::");
  const groups = (side: string) => (side === "" ? [] : side.split(":"));
  const missing = 8 - groups(left).length - groups(right ?? "").length;
  const all = [...groups(left), ...Array<string>(missing).fill("0"), ...groups(right ?? "")];
  return all.map((each) => Number.parseInt(each, 16).toString(2).padStart(16, "0")).join("");
}
