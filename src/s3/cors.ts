import { S3Error } from "#base/error.ts";
import { children, childText, type Element, readXml, tag, wrap } from "#base/xml.ts";

const RULES_MAX = 100;
const ID_CHARS_MAX = 255;
/** A header that is exposed stands in answers as it is; a wildcard is not taken for one. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'+.^_`|~-]+$/;
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

/** Fails: MalformedXML, InvalidRequest. */
export function readCorsRules(root: Element): readonly CorsRule[] {
  const rules = children(root, "CORSRule").map(readRule);
  if (rules.length === 0 || rules.length > RULES_MAX) throw new S3Error("MalformedXML", {});
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
  const rule = readCorsRules(readXml(text)).find((candidate) => allows(candidate, ask));
  if (rule === undefined) return undefined;
  const anyone = rule.origins.includes("*");
  return {
    "Access-Control-Allow-Origin": anyone ? "*" : ask.origin,
    "Access-Control-Allow-Methods": rule.methods.join(", "),
    ...(ask.headers.length === 0 ? {} : { "Access-Control-Allow-Headers": ask.headers.join(", ") }),
    ...(rule.exposed.length === 0
      ? {}
      : { "Access-Control-Expose-Headers": rule.exposed.join(", ") }),
    ...(rule.maxAgeSeconds === undefined
      ? {}
      : { "Access-Control-Max-Age": String(rule.maxAgeSeconds) }),
    ...(anyone ? {} : { "Access-Control-Allow-Credentials": "true" }),
    Vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

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
  const aged = age === undefined || /^\d{1,9}$/.test(age);
  if (!whole || !aged || (rule.id?.length ?? 0) > ID_CHARS_MAX) {
    throw new S3Error("MalformedXML", {});
  }
  for (const method of rule.methods) {
    if (METHODS.includes(method)) continue;
    const message = `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  for (const name of rule.exposed) {
    if (HEADER_NAME.test(name)) continue;
    const message = `ExposeHeader "${name}" is not the name of a header.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  for (const pattern of [...rule.origins, ...rule.headers]) {
    if (pattern.split("*").length <= 2) continue;
    const message = `"${pattern}" can not have more than one wildcard.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return rule;
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
