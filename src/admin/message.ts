import { z } from "zod";
import { didYouMean } from "#access/nearest.ts";

/**
 * What goes in and out of operations, by the rules of JSON for protocol buffers: names in
 * lowerCamelCase, and as they stand in the .proto file when they come in; null is absent; whole
 * numbers of 64 bits are texts, and may come in as numbers too; times are texts by RFC 3339.
 *
 * Differs: a field that is not known is refused, where CoreWeave's API ignores it: a misspelled
 * `durationSeconds` would make a key that never expires.
 * Spec: https://protobuf.dev/programming-guides/json/
 */
export function message<Shape extends z.ZodRawShape>(
  shape: Shape,
  /** Other names that fields were seen under. */
  aliases: Readonly<Record<string, keyof Shape & string>> = {},
) {
  const known = Object.keys(shape);
  const nameOf = (sent: string): string | undefined => {
    if (known.includes(sent)) return sent;
    const name = aliases[sent] ?? sent.replace(/_([a-z0-9])/g, (_, next) => next.toUpperCase());
    return known.includes(name) ? name : undefined;
  };
  return z.preprocess((value, context) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const fields = new Map<string, unknown>();
    for (const [sent, inner] of Object.entries(value)) {
      const name = nameOf(sent);
      if (name === undefined || fields.has(name)) {
        const twice = `is ${name} again: leave one of the two out`;
        const problem = name === undefined ? `is no field.${didYouMean(sent, known)}` : twice;
        context.addIssue({ code: "custom", path: [sent], message: problem });
        return z.NEVER;
      }
      if (inner !== null) fields.set(name, inner);
    }
    return Object.fromEntries(fields);
  }, z.strictObject(shape));
}

const UINT32_MAX = 2 ** 32 - 1;

/** From 0 to 2^32 - 1. */
export const uint32 = z.union(
  [z.int().min(0).max(UINT32_MAX), z.string().regex(/^\d{1,10}$/).transform(Number)],
  { error: `give a whole number from 0 to ${UINT32_MAX}` },
).refine((value) => value <= UINT32_MAX, { error: `give at most ${UINT32_MAX}` });

/** From 0 to 2^53 - 1: of what does not fit there the last digits would be lost. */
export const uint64 = z.union(
  [z.int().min(0), z.string().regex(/^\d{1,16}$/).transform(Number)],
  { error: `give a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, as a text` },
).refine(Number.isSafeInteger, { error: `give at most ${Number.MAX_SAFE_INTEGER}` });

/** As it goes out. */
export const uint64Text = z.string().regex(/^\d+$/);

export const flag = z.union(
  [z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")],
  { error: "give true or false" },
);

export const text = z.string({ error: "give a text" });

/** Names and values. */
export const attributes = z.record(z.string(), z.string(), { error: 'give texts, as {"name": "value"}' });

/** By RFC 3339. */
export const timestamp = z.iso.datetime();

export const empty = message({});

export function timestampOf(ms: number): string {
  return new Date(ms).toISOString();
}
