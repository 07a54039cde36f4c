import { readMoment } from "#access/moment.ts";
import { S3Error } from "#base/error.ts";

/** What the holder of a key lets whoever has the form do with it. */
export interface PostPolicy {
  readonly expiryMs: number;
  readonly conditions: readonly Condition[];
}

/** How many bytes the file may have. */
export interface LengthRange {
  readonly minBytes: number;
  readonly maxBytes: number;
}

type Condition = FieldCondition | ({ readonly kind: "content-length-range" } & LengthRange);

interface FieldCondition {
  readonly kind: "eq" | "starts-with";
  /** In lower case. */
  readonly field: string;
  /** As the policy spells it, "$" and all. */
  readonly spelled: string;
  readonly value: string;
}

/** What a policy is held against. */
export interface PostAttempt {
  /** Names in lower case; of the bucket the one that the request is sent to. */
  readonly fields: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

/** Fields that no condition needs to name. */
const UNNAMED = /^(?:file|policy|x-amz-signature|x-ignore-.*)$/s;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * The policy of a form, as it stands in the field.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 * Unverified: as versity/versitygw has had it of AWS since 2026-03-28: the messages, and that another field than the two
 * is refused.
 * Fails: InvalidPolicyDocument.
 */
export function readPostPolicy(encoded: string): PostPolicy {
  const { expiration, conditions, ...more } = documentOf(encoded);
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw invalid(`Unexpected: '${unknown}'`);
  if (expiration === undefined) throw invalid("Policy missing expiration.");
  if (conditions === undefined) throw invalid("Policy missing conditions.");
  if (typeof expiration !== "string") throw invalidJson();
  const expiryMs = expiration.includes("T") ? readMoment(expiration) : undefined;
  if (expiryMs === undefined) throw invalid(`Invalid 'expiration' value: '${expiration}'`);
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  return { expiryMs, conditions: conditions.map(readCondition) };
}

/**
 * Holds a form against its policy: each condition must hold, and each field must be in one.
 *
 * Unverified: that conditions come before fields without one, and in their order.
 * Fails: AccessDenied.
 */
export function requirePolicy(
  { expiryMs, conditions }: PostPolicy,
  { fields, nowMs }: PostAttempt,
): LengthRange {
  if (nowMs > expiryMs) throw denied("Policy expired.");
  const named = new Set<string>();
  let [minBytes, maxBytes] = [0, Number.POSITIVE_INFINITY];
  for (const condition of conditions) {
    if (condition.kind === "content-length-range") {
      minBytes = Math.max(minBytes, condition.minBytes);
      maxBytes = Math.min(maxBytes, condition.maxBytes);
      continue;
    }
    const { kind, field, spelled, value } = condition;
    if (!holds(condition, fields.get(field))) {
      const written = [kind, spelled, value].map((text) => JSON.stringify(text)).join(", ");
      throw denied(`Policy Condition failed: [${written}]`);
    }
    named.add(field);
  }
  for (const field of fields.keys()) {
    if (!named.has(field) && !UNNAMED.test(field)) throw denied(`Extra input fields: ${field}`);
  }
  return { minBytes, maxBytes };
}

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html#sigv4-ConditionMatching
 * Several content types, a comma between them, must all start so.
 */
function holds({ kind, field, value }: FieldCondition, sent: string | undefined): boolean {
  // A field that is not there is not an empty one.
  if (sent === undefined) return false;
  if (kind === "eq") return sent === value;
  const each = field === "content-type" ? sent.split(",").map((one) => one.trim()) : [sent];
  return each.every((one) => one.startsWith(value));
}

interface PolicyDocument {
  readonly expiration?: unknown;
  readonly conditions?: unknown;
}

/** Fails: InvalidPolicyDocument. */
function documentOf(encoded: string): PolicyDocument {
  const text = encoded.replace(/\s+/g, "");
  if (text === "") throw invalid("Expecting '{' but found End-of-Input");
  if (!BASE64.test(text)) throw invalid("invalid Base64 encoding.");
  try {
    const value: unknown = JSON.parse(UTF8.decode(Buffer.from(text, "base64")));
    if (isObject(value)) return value;
  } catch (cause) {
    throw invalidJson(cause);
  }
  throw invalidJson();
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function readCondition(value: unknown): Condition {
  if (Array.isArray(value)) return readListed(value);
  if (!isObject(value)) throw invalid("Invalid condition test: must be a List or Object.");
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length !== 1 || only === undefined) {
    throw invalid(
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    );
  }
  const [field, wanted] = only;
  if (typeof wanted !== "string") {
    throw invalid("Invalid Simple-Condition: value must be a string.");
  }
  return { kind: "eq", field: field.toLowerCase(), spelled: `$${field}`, value: wanted };
}

function readListed([operator, ...values]: readonly unknown[]): Condition {
  if (operator === undefined) throw invalid("Invalid Condition: missing operation identifier.");
  if (typeof operator !== "string") throw invalidJson();
  const kind = operator.toLowerCase();
  if (kind !== "eq" && kind !== "starts-with" && kind !== "content-length-range") {
    throw invalid(`Invalid Condition: unknown operation '${operator}'.`);
  }
  if (values.length !== 2) throw invalid(`Invalid ${kind}: wrong number of arguments.`);
  const [first, second] = values;
  if (kind === "content-length-range") {
    return { kind, minBytes: readBytes(first), maxBytes: readBytes(second) };
  }
  const value = typeof second === "number" ? String(second) : second;
  if (typeof first !== "string" || typeof value !== "string") throw invalidJson();
  // Without its "$" it names no field, and so does none hold.
  const field = first.startsWith("$") ? first.slice(1).toLowerCase() : "";
  return { kind, field, spelled: first, value };
}

/** A number, or one in quotes. */
function readBytes(value: unknown): number {
  const bytes = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes)) throw invalidJson();
  return bytes;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalidJson(cause?: unknown): S3Error {
  return invalid("Invalid JSON.", cause);
}

function invalid(problem: string, cause?: unknown): S3Error {
  return new S3Error("InvalidPolicyDocument", {}, { message: `Invalid Policy: ${problem}`, cause });
}

function denied(problem: string): S3Error {
  return new S3Error("AccessDenied", {}, { message: `Invalid according to Policy: ${problem}` });
}
