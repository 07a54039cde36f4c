import type { HttpRequest } from "#base/http.ts";
import { StsError } from "#sts/sts-error.ts";

export type Parameters = ReadonlyMap<string, string>;

const FORM_BYTES_MAX = 64 * 1_024;

/** The whole body. Fails: StsError "ValidationError" when it is too large. */
export async function readForm(http: HttpRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of http.body) {
    sizeBytes += chunk.length;
    if (sizeBytes > FORM_BYTES_MAX) {
      throw new StsError("ValidationError", `The body is larger than ${FORM_BYTES_MAX} bytes.`);
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

/** Of a query or a form. Fails: StsError "ValidationError" for one that comes twice. */
export function readParameters(text: string): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) throw new StsError("ValidationError", `${name} is given twice.`);
    parameters.set(name, value);
  }
  return parameters;
}

interface TextRule {
  readonly charsMin: number;
  readonly charsMax: number;
  readonly pattern?: RegExp;
}

/** Fails: StsError "ValidationError", in AWS's words. */
export function textOf(parameters: Parameters, name: string, rule: TextRule): string {
  const value = parameters.get(name);
  if (value === undefined) throw constraint(name, undefined, "Member must not be null");
  if (value.length < rule.charsMin) {
    const problem = `Member must have length greater than or equal to ${rule.charsMin}`;
    throw constraint(name, value, problem);
  }
  if (value.length > rule.charsMax) {
    const problem = `Member must have length less than or equal to ${rule.charsMax}`;
    throw constraint(name, value, problem);
  }
  if (rule.pattern?.test(value) === false) {
    const problem = `Member must satisfy regular expression pattern: ${rule.pattern.source}`;
    throw constraint(name, value, problem);
  }
  return value;
}

interface NumberRule {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/** Fails: StsError "ValidationError". */
export function numberOf(parameters: Parameters, name: string, rule: NumberRule): number {
  const text = parameters.get(name);
  if (text === undefined) return rule.fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= rule.min && value <= rule.max) return value;
  const bound =
    value > rule.max ? `less than or equal to ${rule.max}` : `greater than or equal to ${rule.min}`;
  throw constraint(name, text, `Member must have value ${bound}`);
}

/** A value is not repeated when it may be a secret. */
function constraint(name: string, value: string | undefined, problem: string): StsError {
  const field = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  const isSecret = name === "WebIdentityToken";
  const shown = isSecret || value === undefined ? "Value" : `Value '${value.slice(0, 100)}'`;
  const message = `1 validation error detected: ${shown} at '${field}' failed to satisfy constraint: ${problem}`;
  return new StsError("ValidationError", message);
}
