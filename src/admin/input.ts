import type { z } from "zod";
import { ControlError } from "#base/control-error.ts";

export type Fields = Readonly<Record<string, unknown>>;

const BODY_BYTES_MAX = 2 ** 20;

/** Fails: InvalidArgument when the body is too large or not UTF-8, and as the connection does. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) {
      throw new ControlError("InvalidArgument", `the body is larger than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(Buffer.from(chunk));
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new ControlError("InvalidArgument", "the body is not UTF-8", { cause });
  }
}

/** The fields of a JSON object; none of an empty text. Fails: InvalidArgument. */
export function readJson(text: string): Fields {
  if (text.trim() === "") return {};
  const value = parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ControlError("InvalidArgument", "the body must be a JSON object {…}");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ControlError("InvalidArgument", `the body is no JSON: ${why}`, { cause });
  }
}

/** Fails: InvalidArgument for a name that comes twice. */
export function readQuery(query: string): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (fields.has(name)) throw new ControlError("InvalidArgument", `${name}: is given twice`);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

/** Fails: InvalidArgument for a name that two of them have. */
export function joined(sources: readonly Fields[]): Fields {
  const fields = new Map<string, unknown>();
  for (const [name, value] of sources.flatMap((source) => Object.entries(source))) {
    if (fields.has(name)) throw new ControlError("InvalidArgument", `${name}: is given twice`);
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

/** Fails: InvalidArgument, whose message points at what is wrong. */
export function read(schema: z.ZodType, fields: Fields): unknown {
  const { success, data, error } = schema.safeParse(fields, { error: problemOf });
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  const problem = issue?.message ?? "is not valid";
  throw new ControlError("InvalidArgument", path === "" ? problem : `${path}: ${problem}`);
}

/** Of fields that have no words of their own. */
function problemOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  return issue.input === undefined
    ? "is required"
    : `give ${KINDS[issue.expected] ?? issue.expected}`;
}

const KINDS: Readonly<Record<string, string>> = {
  array: "a list […]",
  object: "an object {…}",
  record: "an object {…}",
};
