/** What the written documents say of things that a test can look up. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Metrics } from "#base/metrics.ts";
import { SETTINGS } from "#settings.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = globSync(["*.md", "docs/*.md", "decisions/*.md"], { cwd: ROOT });

for (const page of PAGES) {
  const text = readFileSync(join(ROOT, page), "utf8");

  test(`${page}: every link within the project leads somewhere`, () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = ""]) => path);
    const broken = links.filter((path) => !existsSync(join(ROOT, dirname(page), path)));
    assert.deepEqual(broken, []);
  });

  test(`${page}: every npm command is a script of package.json`, () => {
    const asked = [...text.matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)];
    const names = asked.map(([, script, short = ""]) => script ?? short);
    assert.deepEqual(
      names.filter((name) => scripts()[name] === undefined),
      [],
    );
  });
}

test("README.md: npm start and npm test install what is missing first", () => {
  assert.match(readFileSync(join(ROOT, "README.md"), "utf8"), /npm start.*npm test/s);
  for (const name of ["prestart", "pretest"])
    assert.match(scripts()[name] ?? "", /bin\/setup\.cjs/);
});

test("docs/operations.md names every setting and every metric", () => {
  const text = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  const settings = Object.values(SETTINGS).flatMap((setting) =>
    "secret" in setting ? [setting.env] : [`--${setting.flag}`, setting.env],
  );
  const metrics = new Metrics().registry.getMetricsAsArray().map(({ name }) => name);
  assert.deepEqual(
    [...settings, ...metrics].filter((name) => !text.includes(`\`${name}`)),
    [],
  );
});

function scripts(): Readonly<Record<string, string>> {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return (manifest as { scripts: Record<string, string> }).scripts;
}
