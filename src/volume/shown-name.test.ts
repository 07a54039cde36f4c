import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, nameShownAs, showName, textOf } from "#volume/shown-name.ts";

/** Bytes as latin1, rich in what escapes are made of. */
const name = fc
  .array(
    fc.oneof(
      fc.constantFrom("%", "2", "5", "F", "f", "\xff", "\xc3", "\xa9", "%25", "%FF", "a"),
      fc.nat(255).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

test("a name that is UTF-8 and holds no percent sign is shown as it is", () => {
  for (const text of ["a", "é", "日本", "\u{10000}", "a b#c\n"]) {
    assert.equal(textOf(showName(bytesOf(text))), text);
  }
});

test("an ordinary percent sign is shown as it is", () => {
  for (const text of ["50%", "a%20b", "%E2%82%AC", "%zz", "%ff"])
    assert.equal(showName(text), text);
});

test("bytes that are no UTF-8 are shown percent-encoded", () => {
  assert.equal(showName("a\xff"), "a%FF");
  assert.equal(showName("50%\xff"), "50%25%FF");
  assert.equal(showName("\xc3\xa9\xc3"), "\xc3\xa9%C3");
});

test("a name that looks like an encoded one is shown as another", () => {
  assert.equal(showName("a%FF"), "a%25FF");
  assert.equal(showName("a%25FF"), "a%2525FF");
});

test("what is shown is UTF-8, and leads back to the name", () => {
  fc.assert(
    fc.property(name, (bytes) => {
      const shown = showName(bytes);
      assert.equal(bytesOf(textOf(shown)), shown);
      assert.equal(nameShownAs(shown), bytes);
    }),
    { numRuns: 5_000 },
  );
});

test("every part of a key names a file that is shown as that part", () => {
  fc.assert(
    fc.property(name, (bytes) => {
      const part = bytesOf(textOf(bytes)); // Any UTF-8.
      assert.equal(showName(nameShownAs(part)), part);
    }),
    { numRuns: 5_000 },
  );
});
