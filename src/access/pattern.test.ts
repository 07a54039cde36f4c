import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matcherOf, reachesBelow, tokensOf } from "#access/pattern.ts";
import { PatternList } from "#access/pattern-list.ts";

const matches = (pattern: string, text: string) => matcherOf(tokensOf(pattern))(text);

const CASES: readonly (readonly [pattern: string, text: string, expected: boolean])[] = [
  ["", "", true],
  ["", "a", false],
  ["a", "a", true],
  ["a", "A", false],
  ["a", "ab", false],
  ["*", "", true],
  ["*", "a/b\nc", true],
  ["a*", "a", true],
  ["a*", "ba", false],
  ["*a", "ba", true],
  ["*a", "ab", false],
  ["a*a", "a", false],
  ["a*a", "aa", true],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-c-b", false],
  ["*aab*", "aaab", true],
  ["a**b", "ab", true],
  ["?", "", false],
  ["?", "a", true],
  ["?", "😀", true],
  ["??", "😀", false],
  ["a?c", "abc", true],
  ["a?c", "a\nc", true],
  ["*?", "", false],
  ["*?", "a", true],
  ["?*", "a", true],
  ["*b?*d", "abbcd", true],
  ["*b?*d", "abd", false],
  ["a.c", "abc", false],
  ["(a)?[b]", "(a)x[b]", true],
];

for (const [pattern, text, expected] of CASES) {
  test(`${JSON.stringify(pattern)} ${expected ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
    assert.equal(matches(pattern, text), expected);
    assert.equal(new PatternList([tokensOf(pattern)]).matches(text), expected);
  });
}

test("a pattern of many stars is answered although no text that nearly fits lets it give up early", () => {
  const pattern = `${"a*".repeat(500)}b`;

  assert.equal(matches(pattern, "a".repeat(1_024)), false);
  assert.equal(matches(pattern.replaceAll("*", "*?"), "a".repeat(1_024)), false);
  assert.equal(matches(pattern, `${"a".repeat(1_023)}b`), true);
});

const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "😀"), maxLength: 8 });
const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?", "😀"), maxLength: 7 });

test("a pattern matches what the expression with .* and . matches", () => {
  fc.assert(
    fc.property(pattern, text, (wild, plain) => {
      const source = wild.replaceAll("/", "\\/").replaceAll("*", ".*").replaceAll("?", ".");

      assert.equal(matches(wild, plain), new RegExp(`^${source}$`, "su").test(plain));
    }),
    { numRuns: 5_000 },
  );
});

test("a list matches what one of its patterns matches", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 20 }), text, (wild, plain) => {
      const list = new PatternList(wild.map(tokensOf));

      assert.equal(
        list.matches(plain),
        wild.some((each) => matches(each, plain)),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("a pattern reaches below a prefix when it matches some text that goes on from there", () => {
  const reaches = (wild: string) => reachesBelow(tokensOf(wild), "data/");

  for (const wild of ["*", "data/*", "data/a", "d*", "data?x", "*/x", "data/?", "data*"]) {
    assert.ok(reaches(wild), wild);
  }
  for (const wild of ["data", "data/", "dat?", "other/*", "data-*", "?data/*", ""]) {
    assert.ok(!reaches(wild), wild);
  }
});
