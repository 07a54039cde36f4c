import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl } from "#test/admin/control.ts";

test("WhoAmI tells the operator and a user who they are", async (t) => {
  const { ok, call, userToken, organizationId } = await openControl(t);
  const token = await userToken({ uid: "ada" });

  assert.deepEqual(await ok("GET", "/v1/lode/whoami"), {
    kind: "operator",
    orgId: organizationId,
    groups: [],
  });
  assert.deepEqual((await call({ path: "/v1/lode/whoami", token })).json, {
    kind: "user",
    orgId: organizationId,
    principalName: "coreweave/ada",
    groups: [],
  });
});
