import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ListAsk } from "#object/engine.ts";
import { type OpenSubject, type Subject, Words } from "#test/contract/engine.ts";
import { listingOf, type Row } from "#test/model/listing.ts";

const PARTS = ["a", "a-", "a.", "a b", "a0", "b", "B", "é", "\u{10000}", "\uFFFD", "a\n", "50%"];

/** Keys that are paths, none of which is a directory of another. */
const keys = fc
  .uniqueArray(
    fc
      .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/")),
    { maxLength: 14 },
  )
  .map((all) => all.filter((key) => !all.some((other) => other.startsWith(`${key}/`))));

const ask: fc.Arbitrary<ListAsk> = fc.record({
  prefix: fc.oneof(
    fc.constantFrom(
      "",
      "",
      "a",
      "a/",
      "a-",
      "a.",
      "b/a",
      "é/",
      "\u{10000}",
      "/",
      "a//",
      "./",
      "..",
    ),
    keys.map(([first = ""]) => first),
  ),
  delimiter: fc.constantFrom("", "/", "/", "a", "/a", "-", "é", "\u{10000}"),
  after: fc.oneof(
    fc.constantFrom("", "", "a", "a/", "a-/", "a/a", "a0", "b/", "zzz"),
    keys.map(([first = ""]) => first),
    keys.map(([first = ""]) => `${first}/`),
  ),
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(0, 1_000)),
});

/** Lists, against the list that is as simple as S3 describes it. */
export function listingContract(
  adapter: string,
  open: OpenSubject,
  { runs }: { readonly runs: number },
): void {
  test(`${adapter}: a list by any prefix, delimiter, start and limit is the simple one`, async (t) => {
    const subject = await open(t);
    await fc.assert(
      fc.asyncProperty(keys, fc.array(ask, { minLength: 8, maxLength: 8 }), async (all, asks) => {
        await refill(subject, all);
        for (const each of asks) await requireSimple(subject, all, each);
      }),
      { numRuns: runs },
    );
  });

  test(`${adapter}: its pages, one after the other, are the whole list, and nothing comes twice`, async (t) => {
    const subject = await open(t);
    const s3 = new Words(subject);
    await fc.assert(
      fc.asyncProperty(keys, ask, async (all, given) => {
        await refill(subject, all);
        const limited = { ...given, limit: Math.max(1, given.limit) };
        const [objects, prefixes]: [string[], string[]] = [[], []];
        for (let after: string | undefined = given.after; after !== undefined; ) {
          const page = await s3.list({ ...limited, after });
          objects.push(...page.objects.map(({ key }) => key));
          prefixes.push(...page.prefixes);
          assert.ok(objects.length + prefixes.length < 100, "it comes to an end");
          after = page.next;
        }
        const whole = listingOf(all, (key) => key, { ...given, limit: 1_000 });
        assert.deepEqual([objects, prefixes], split(whole.rows));
      }),
      { numRuns: runs },
    );
  });
}

/** What is there becomes what is asked for. */
async function refill(subject: Subject, wanted: readonly string[]): Promise<void> {
  const s3 = new Words(subject);
  // Directories that are left behind, deepest first, are objects of an engine that has them.
  for (let there = await s3.keys(); there.some((key) => !wanted.includes(key)); ) {
    for (const key of there) if (!wanted.includes(key)) await s3.delete(key);
    there = await s3.keys();
  }
  const there = await s3.keys();
  for (const key of wanted) if (!there.includes(key)) await s3.put(key, "");
}

async function requireSimple(
  subject: Subject,
  all: readonly string[],
  given: ListAsk,
): Promise<void> {
  const page = await new Words(subject).list(given);
  const simple = listingOf(all, (key) => key, given);
  const told = JSON.stringify([all, given]);
  const shown = [page.objects.map(({ key }) => key), page.prefixes];
  assert.deepEqual(shown, split(simple.rows), told);
  assert.equal(page.next, given.limit === 0 ? undefined : simple.next, told);
}

function split(rows: readonly Row<string>[]): readonly [string[], string[]] {
  return [
    rows.flatMap((row) => ("prefix" in row ? [] : [row.item])),
    rows.flatMap((row) => ("prefix" in row ? [row.prefix] : [])),
  ];
}
