import { z } from "zod";
import { didYouMean } from "#access/nearest.ts";

/**
 * What goes in and out of operations, by the rules of JSON for protocol buffers: names in
 * lowerCamelCase, and as they stand in the .proto file when they come in; null is absent; whole
 * numbers of 64 bits are texts, and may come in as numbers too; times are texts by RFC 3339.
 *
 * Differs: CoreWeave's API ignores a field that it does not know; here it is refused, for a misspelled
 * `durationSeconds` would make a key that never expires.
 * Spec: https://protobuf.dev/programming-guides/json/
 */
export function message<Shape extends z.ZodRawShape>(
  shape: Shape,
  /** Other names that fields were seen under. */
  aliases: Readonly<Record<string, keyof Shape & string>> = {},
) {
  const names: Names = { known: Object.keys(shape), aliases };
  return z.preprocess((value, context) => {
    const read = readFields(value, names);
    if (!("problem" in read)) return read.fields;
    context.addIssue({ code: "custom", path: [read.at], message: read.problem });
    return z.NEVER;
  }, z.strictObject(shape));
}

interface Names {
  readonly known: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
}

type Read = { readonly fields: unknown } | { readonly at: string; readonly problem: string };

/** By the names that the shape knows. What is no object is left for the shape to refuse. */
function readFields(value: unknown, names: Names): Read {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { fields: value };
  const fields = new Map<string, unknown>();
  for (const [at, inner] of Object.entries(value)) {
    const name = nameOf(at, names);
    if (name === undefined) {
      return { at, problem: `is no field of this call.${didYouMean(at, names.known)}` };
    }
    if (fields.has(name)) return { at, problem: `is ${name} again: leave one of the two out` };
    if (inner !== null) fields.set(name, inner);
  }
  return { fields: Object.fromEntries(fields) };
}

function nameOf(sent: string, { known, aliases }: Names): string | undefined {
  if (known.includes(sent)) return sent;
  const name =
    aliases[sent] ?? sent.replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase());
  return known.includes(name) ? name : undefined;
}

/** What a field that is wrong is told. */
export function mend(problem: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? "is required" : problem);
}

const UINT32_MAX = 2 ** 32 - 1;

/** From 0 to 2^32 - 1. */
export const uint32 = wholeNumber(UINT32_MAX);

/** From 0 to 2^53 - 1: of what is larger the last digits would be lost. */
export const uint64 = wholeNumber(Number.MAX_SAFE_INTEGER);

/** A number, or a text of digits. */
function wholeNumber(max: number) {
  const error = mend(`give a whole number from 0 to ${max}`);
  const digits = z
    .string()
    .regex(/^\d{1,16}$/, { error })
    .transform(Number)
    .refine((value) => Number.isSafeInteger(value) && value <= max, { error });
  return z.union([z.int({ error }).min(0, { error }).max(max, { error }), digits], { error });
}

/** As it goes out. */
export const uint64Text = z.string().regex(/^\d+$/);

/** Also as a text, since queries have nothing else. */
export const flag = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")],
  { error: mend("give true or false") },
);

export const text = z.string({ error: mend("give a text") });

/** Names and values. */
export const attributes = z.record(z.string(), text, {
  error: mend('give names and texts, as {"name": "ci"}'),
});

export const timestamp = z.iso.datetime();

export function timestampOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Nothing, in or out. */
export const empty = message({});
