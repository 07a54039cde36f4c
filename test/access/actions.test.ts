import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "#access/actions.ts";
import { OPERATIONS as CONTROL } from "#admin/operations.ts";
import { apiPage } from "../../tools/api-coverage.ts";

test("every permission that an operation asks for is an action that policies may name", () => {
  const [offered = ""] = apiPage().split("## Not offered");
  const asked = new Set(offered.match(/\bs3:\w+/g));

  assert.ok(asked.size > 30);
  assert.deepEqual(
    [...asked].filter((action) => !ACTIONS.has(action)),
    [],
  );
});

test("every permission that the control API asks for is an action that policies may name", () => {
  const asked = CONTROL.map(({ needs }) => needs).filter((needs) => needs.includes(":"));

  assert.deepEqual(
    asked.filter((action) => !ACTIONS.has(action)),
    [],
  );
});

test("an action has one spelling only", () => {
  const folded = new Set([...ACTIONS.keys()].map((action) => action.toLowerCase()));

  assert.equal(folded.size, ACTIONS.size);
});
