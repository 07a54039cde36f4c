import { S3Error } from "#base/error.ts";
import { children, childText, type Element, readXml, tag, wrap } from "#base/xml.ts";

const RULES_MAX = 100;
const ID_CHARS_MAX = 255;
/** Of a header, or of a pattern of some. AWS takes none at all too. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]*$/;
/** Those that a rule can allow. */
export const METHODS: readonly string[] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html */
export interface CorsRule {
  readonly id: string | undefined;
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/** What a browser says of the request that it means to send, or sends. */
export interface CorsAsk {
  readonly origin: string;
  readonly method: string;
  /** In lower case. */
  readonly headers: readonly string[];
}

/**
 * The rules that somebody wants to set.
 *
 * Observed: 2026-02-18, as others recorded AWS: the messages; an age below zero and empty names are taken.
 * Observed: 2016-12-31, of too many rules three other servers say this in the same words, which are AWS's then.
 * Unverified: in which order AWS looks at what is wrong.
 * Fails: MalformedXML, InvalidRequest.
 */
export function readCorsRules(root: Element): readonly CorsRule[] {
  const rules = readRules(root);
  if (rules.length === 0) throw new S3Error("MalformedXML", {});
  if (rules.length > RULES_MAX) {
    throw invalid(
      `The number of CORS rules should not exceed allowed limit of ${RULES_MAX} rules.`,
    );
  }
  for (const rule of rules) check(rule);
  return rules;
}

export function writeCorsRules(rules: readonly CorsRule[]): string {
  return rules
    .map((rule) =>
      wrap(
        "CORSRule",
        [
          rule.id === undefined ? "" : tag("ID", rule.id),
          ...rule.origins.map((origin) => tag("AllowedOrigin", origin)),
          ...rule.methods.map((method) => tag("AllowedMethod", method)),
          ...rule.headers.map((header) => tag("AllowedHeader", header)),
          ...rule.exposed.map((header) => tag("ExposeHeader", header)),
          rule.maxAgeSeconds === undefined ? "" : tag("MaxAgeSeconds", rule.maxAgeSeconds),
        ].join(""),
      ),
    )
    .join("");
}

/**
 * The headers that let a browser show an answer, or send a request; undefined when no rule does.
 * `text` is the stored document.
 */
export function corsHeaders(text: string, ask: CorsAsk): Record<string, string> | undefined {
  const rule = readRules(readXml(text)).find((candidate) => allows(candidate, ask));
  if (rule === undefined) return undefined;
  const anyone = rule.origins.includes("*");
  const exposed = rule.exposed.filter((name) => name !== "");
  return {
    "Access-Control-Allow-Origin": anyone ? "*" : ask.origin,
    "Access-Control-Allow-Methods": rule.methods.join(", "),
    ...(ask.headers.length === 0 ? {} : { "Access-Control-Allow-Headers": ask.headers.join(", ") }),
    ...(exposed.length === 0 ? {} : { "Access-Control-Expose-Headers": exposed.join(", ") }),
    ...(rule.maxAgeSeconds === undefined
      ? {}
      : { "Access-Control-Max-Age": String(rule.maxAgeSeconds) }),
    ...(anyone ? {} : { "Access-Control-Allow-Credentials": "true" }),
    Vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

function readRules(root: Element): readonly CorsRule[] {
  return children(root, "CORSRule").map(readRule);
}

/** Fails: MalformedXML. */
function readRule(element: Element): CorsRule {
  const texts = (name: string) => children(element, name).map(({ text }) => text);
  const age = childText(element, "MaxAgeSeconds");
  const rule = {
    id: childText(element, "ID"),
    origins: texts("AllowedOrigin"),
    methods: texts("AllowedMethod"),
    headers: texts("AllowedHeader"),
    exposed: texts("ExposeHeader"),
    maxAgeSeconds: age === undefined ? undefined : Number(age),
  };
  const whole = rule.origins.length > 0 && rule.methods.length > 0;
  const aged = age === undefined || /^-?\d{1,9}$/.test(age);
  if (!whole || !aged || (rule.id?.length ?? 0) > ID_CHARS_MAX) {
    throw new S3Error("MalformedXML", {});
  }
  return rule;
}

/** Fails: InvalidRequest. */
function check({ origins, methods, headers, exposed }: CorsRule): void {
  for (const method of methods) {
    if (METHODS.includes(method)) continue;
    throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
  }
  requireOneWildcard("AllowedOrigin", origins);
  requireOneWildcard("AllowedHeader", headers);
  const wild = exposed.find((name) => name.includes("*"));
  if (wild !== undefined) {
    throw invalid(
      `ExposeHeader "${wild}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  requireNames("AllowedHeader", headers);
  requireNames("ExposeHeader", exposed);
}

function requireOneWildcard(what: string, patterns: readonly string[]): void {
  const wrong = patterns.find((pattern) => pattern.split("*").length > 2);
  if (wrong !== undefined) throw invalid(`${what} "${wrong}" can not have more than one wildcard.`);
}

function requireNames(what: string, names: readonly string[]): void {
  const wrong = names.find((name) => !HEADER_NAME.test(name));
  if (wrong !== undefined) throw invalid(`${what} "${wrong}" contains invalid character.`);
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, { message });
}

function allows(rule: CorsRule, { origin, method, headers }: CorsAsk): boolean {
  return (
    rule.origins.some((pattern) => matches(pattern, origin)) &&
    rule.methods.includes(method) &&
    headers.every((header) =>
      rule.headers.some((pattern) => matches(pattern.toLowerCase(), header)),
    )
  );
}

/** At most one `*`, which stands for any characters. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return (
    text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
  );
}
