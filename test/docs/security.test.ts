/** The threat model: every threat names the tests that show what keeps it out. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const DOCS = new URL("../../docs/", import.meta.url);
const TEXT = readFileSync(new URL("security.md", DOCS), "utf8");
const ROWS = TEXT.split("\n").filter(
  (line) => line.startsWith("| ") && !line.startsWith("| Threat "),
);

test("the threat model has threats, of three columns each", () => {
  assert.ok(ROWS.length > 20, `${ROWS.length} rows`);
  for (const row of ROWS) assert.equal(row.split("|").length, 5, row);
});

for (const row of ROWS) {
  const [, threat = "", , shown = ""] = row.split("|");

  test(`a test shows that it is kept out: ${threat.trim()}`, () => {
    const links = [...shown.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
    assert.ok(
      links.some((path) => path.endsWith(".test.ts")),
      "it names a test",
    );
    for (const path of links) assert.ok(existsSync(new URL(path, DOCS)), path);
  });
}
