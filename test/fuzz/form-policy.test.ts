/** Policies of forms: what they allow, a second engine allows too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readPostPolicy, requirePolicy } from "#s3/form/post-policy.ts";
import { orRefused, REFUSED } from "#test/fuzz/refusal.ts";
import { damaged, nastyText, REPEATED } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";

const END = "2026-01-02T03:04:05Z";
const END_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const name = fc.constantFrom(
  "bucket",
  "key",
  "acl",
  "Content-Type",
  "x-amz-meta-a",
  "X-Ignore-A",
  "policy",
);
const value = fc.constantFrom("", "a", "ab", "b", "a,ab", "a, b", "A", "ä");
const size = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.constantFrom("3", "x", 0.5, null));
const condition = fc.oneof(
  fc.tuple(name, value).map(([key, text]): unknown => ({ [key]: text })),
  fc
    .tuple(
      fc.constantFrom("eq", "starts-with", "Eq", "like"),
      fc.constantFrom("$", ""),
      name,
      value,
    )
    .map(([operator, mark, key, text]): unknown => [operator, mark + key, text]),
  fc.tuple(size, size).map(([min, max]): unknown => ["content-length-range", min, max]),
  fc.constantFrom<unknown>({}, [], "a", null, { key: 1 }, ["eq", "$key"], ["eq", 1, "a"]),
);
const fields = fc
  .array(fc.tuple(name, value), { maxLength: 4 })
  .map(
    (pairs) =>
      new Map([...pairs.map(([key, text]) => [key.toLowerCase(), text] as const), ["bucket", "a"]]),
  );

/** Conditions, mostly such as hold for the fields. */
const attempt = fields.chain((sent) => {
  const holding = [...sent].map(([key, text]) =>
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.constantFrom<unknown>({ [key]: text }, ["starts-with", `$${key}`, ""]),
      },
      { weight: 1, arbitrary: condition },
    ),
  );
  const more = fc.oneof(fc.constant([]), fc.array(condition, { maxLength: 2 }));
  return fc
    .tuple(fc.tuple(...holding), more)
    .map(([some, others]) => ({ sent, list: [...some, ...others] }));
});

test("a policy allows what a second engine allows, and of the same sizes", () => {
  let [allowed, denied, invalid] = [0, 0, 0];
  fc.assert(
    fc.property(attempt, fc.constantFrom(-1, 0, 1), ({ sent, list }, late) => {
      const text = JSON.stringify({ expiration: END, conditions: list });
      const policy = orRefused(() => readPostPolicy(Buffer.from(text).toString("base64")));
      const meanings = list.map(meaningOf);

      assert.equal(policy === REFUSED, meanings.includes(undefined), text);
      if (policy === REFUSED) {
        invalid += 1;
        return;
      }
      const range = orRefused(() => requirePolicy(policy, { fields: sent, nowMs: END_MS + late }));
      const isAllowed =
        late <= 0 && meanings.every((one) => one?.holds(sent)) && covered(meanings, sent);
      assert.equal(range !== REFUSED, isAllowed, text);
      if (range === REFUSED) {
        denied += 1;
        return;
      }
      allowed += 1;
      for (let bytes = 0; bytes < 7; bytes += 1) {
        const fits: boolean = range.minBytes <= bytes && bytes <= range.maxBytes;
        assert.equal(
          fits,
          meanings.every((one) => one?.takes(bytes)),
          `${text}: ${bytes}`,
        );
      }
    }),
    runs({ short: 3_000, long: 1_000_000 }),
  );
  assert.ok(allowed > 100 && denied > 100 && invalid > 100, `${allowed}, ${denied}, ${invalid}`);
});

interface Meaning {
  readonly field: string | undefined;
  readonly holds: (sent: ReadonlyMap<string, string>) => boolean;
  readonly takes: (bytes: number) => boolean;
}

/** As the pages of AWS have it, in the words of the document; undefined when it means nothing. */
function meaningOf(one: unknown): Meaning | undefined {
  if (typeof one !== "object" || one === null) return undefined;
  const list: readonly unknown[] = Array.isArray(one) ? one : spelledOut(one);
  const [operator, first, second, ...more] = list;
  if (more.length > 0 || second === undefined || typeof operator !== "string") return undefined;
  const always = () => true;
  if (operator === "content-length-range") {
    const [min, max] = [first, second].map((each) => (each === null ? Number.NaN : Number(each)));
    if (!Number.isInteger(min) || !Number.isInteger(max)) return undefined;
    return {
      field: undefined,
      holds: always,
      takes: (bytes) => Number(min) <= bytes && bytes <= Number(max),
    };
  }
  if (typeof first !== "string" || typeof second !== "string") return undefined;
  if (!["eq", "starts-with"].includes(operator.toLowerCase())) return undefined;
  const [, field] = /^\$(.*)$/.exec(first.toLowerCase()) ?? [];
  const holds = (sent: ReadonlyMap<string, string>) => {
    const text = field === undefined ? undefined : sent.get(field);
    if (text === undefined) return false;
    if (operator.toLowerCase() === "eq") return text === second;
    if (field !== "content-type") return text.slice(0, second.length) === second;
    return text.split(/, */).every((each) => each.slice(0, second.length) === second);
  };
  return { field, holds, takes: always };
}

function spelledOut(one: object): readonly unknown[] {
  const [[key, text] = [], ...more] = Object.entries(one);
  return more.length > 0 || key === undefined || typeof text !== "string"
    ? []
    : ["eq", `$${key}`, text];
}

function covered(
  meanings: readonly (Meaning | undefined)[],
  sent: ReadonlyMap<string, string>,
): boolean {
  const named = meanings.map((one) => one?.field);
  const free = (field: string) => field === "policy" || field.startsWith("x-ignore-");
  return [...sent.keys()].every((field) => free(field) || named.includes(field));
}

test("any text is read as a policy, or refused", () => {
  const whole = JSON.stringify({
    expiration: END,
    conditions: [{ bucket: "a" }, ["eq", "$key", "b"]],
  });
  const document = fc.oneof(
    nastyText.map((text) => Buffer.from(text)),
    damaged(Buffer.from(whole)),
  );
  fc.assert(
    fc.property(document, nastyText, (bytes, text) => {
      orRefused(() => readPostPolicy(text));
      const policy = orRefused(() => readPostPolicy(bytes.toString("base64")));
      if (policy !== REFUSED) assert.ok(Number.isSafeInteger(policy.expiryMs));
    }),
    runs({ short: 2_000, long: 500_000 }),
  );
});

test("however long or deep a policy is, reading it takes no longer than it is", {
  timeout: 30_000,
}, () => {
  for (const piece of [...REPEATED, '{"a":', '"$key",']) {
    const long = piece.repeat(200_000 / piece.length);
    for (const text of [long, `{"expiration":"${END}","conditions":[${long}`]) {
      orRefused(() => readPostPolicy(Buffer.from(text).toString("base64")));
      orRefused(() => readPostPolicy(text));
    }
  }
});
