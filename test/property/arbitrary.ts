import fc from "fast-check";
import type { Versioning } from "#object/bucket.ts";

/** Keys between which the orders of bytes, of UTF-16 units and of escaped keys disagree. */
export const NASTY_KEYS = [
  ...["a", "a/", "a/b", "a-b", "a.b", "a//", "a/b/c", "aa", "ab", "b", "b/"],
  ...["\uFFFD", "\u{10000}", "\u{10000}/a", "\uFFFD/a", "é", "é/"],
  ...["\u0000", "a\u0000", "a\u0000b", "a\u0000\u0001", "a\u0001", "a\u0000\u0000", "a\u00FF"],
];

export const nastyKey = fc.constantFrom(...NASTY_KEYS);
const anyKey = fc.oneof(
  { weight: 4, arbitrary: nastyKey },
  {
    weight: 1,
    arbitrary: fc.string({
      minLength: 1,
      maxLength: 4,
      unit: fc.constantFrom(..."ab/\u0000\u{10000}\uFFFD"),
    }),
  },
);

export const listAsk = fc.record({
  prefix: fc.oneof(fc.constantFrom("", "", "a", "a/", "a\u0000", "\uFFFD", "\u{10000}"), nastyKey),
  delimiter: fc.constantFrom("", "/", "/", "b", "a", "aa", "/b", "\u0000", "\u{10000}", "\uFFFD/"),
  after: fc.oneof(fc.constant(""), anyKey),
  limit: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, 1_000)),
});

/** Few enough that operations meet, and two of them often. */
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string[]>("a", "a/b") },
  { weight: 3, arbitrary: fc.constantFrom<string[]>("a/", "\u{10000}", "\uFFFD", "a\u0000b") },
);
/** Sizes about the limit of what lives in a record, which is 16 in these tests. */
const bytes = fc
  .tuple(fc.constantFrom(0, 5, 16, 17, 40), fc.nat(255))
  .map(([size, seed]) =>
    Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255)),
  );
const part = fc.record({
  number: fc.integer({ min: 1, max: 4 }),
  bytes: fc
    .constantFrom(5, 17, 33)
    .chain((size) => fc.uint8Array({ minLength: size, maxLength: size })),
  /** Copied from this key instead, when it is there, by first byte and length. */
  from: fc.option(fc.record({ key, first: fc.nat(12), length: fc.integer({ min: 5, max: 20 }) }), {
    nil: undefined,
  }),
});

/** One thing done to a bucket. What it names may be missing: then it must be refused. */
export const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("put" as const), key, bytes }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("deleteVersion" as const), key, at: fc.nat(4) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("copy" as const), from: key, to: key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rename" as const), from: key, to: key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("tag" as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("upload" as const),
      key,
      parts: fc.array(part, { minLength: 1, maxLength: 5 }),
      /** Numbers that are completed, of those sent. */
      completed: fc.subarray([1, 2, 3, 4], { minLength: 1 }),
      end: fc.constantFrom("complete", "complete", "abort", "leave"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("collect" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abortAll" as const) }) },
);
export type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Steps in a bucket that never keeps versions. */
export const plainHistory = fc.array(step, { minLength: 1, maxLength: 40, size: "max" });

/** Steps in a bucket whose versioning is changed now and then. */
export const versionedHistory = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: step },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("versioning" as const),
        to: fc.constantFrom<Exclude<Versioning, undefined>[]>("Enabled", "Suspended"),
      }),
    },
  ),
  { minLength: 1, maxLength: 40, size: "max" },
);
export type VersionedStep =
  typeof versionedHistory extends fc.Arbitrary<infer Steps extends readonly unknown[]>
    ? Steps[number]
    : never;
