import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { API_PAGE, apiPage } from "../../tools/api-coverage.ts";
import { COMPATIBILITY_PAGE, compatibilityPage } from "../../tools/compatibility.ts";
import { CONTROL_PAGE, controlPage, OPENAPI_FILE, openApiText } from "../../tools/control-api.ts";

const STALE = "it is out of date: npm run docs";

test("docs/api.md is what the table of operations says", () => {
  assert.ok(readFileSync(API_PAGE, "utf8") === apiPage(), STALE);
});

test("docs/compatibility.md is what the comments in the source say", () => {
  assert.ok(readFileSync(COMPATIBILITY_PAGE, "utf8") === compatibilityPage(), STALE);
});

test("docs/control-api.md and docs/openapi.json are what the table of the control API says", () => {
  assert.ok(readFileSync(CONTROL_PAGE, "utf8") === controlPage(), STALE);
  assert.ok(readFileSync(OPENAPI_FILE, "utf8") === openApiText(), STALE);
});
