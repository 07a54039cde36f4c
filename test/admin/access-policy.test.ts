import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl } from "#test/admin/control.ts";

const POLICIES = "/v1/cwobject/access-policy";

const STATEMENT = {
  name: "allow-everything",
  effect: "Allow",
  actions: ["*"],
  resources: ["*"],
  principals: ["*"],
};
const POLICY = { version: "v1alpha1", name: "test-policy", statements: [STATEMENT] };

test("EnsureAccessPolicy makes a policy, and puts another in place of the one of its name", async (t) => {
  const { ok } = await openControl(t);

  assert.deepEqual(await ok("POST", POLICIES, { policy: POLICY }), {});
  const changed = { ...POLICY, statements: [{ ...STATEMENT, effect: "Deny" }] };
  assert.deepEqual(await ok("POST", POLICIES, { policy: changed }), {});

  const { policies } = await ok("GET", POLICIES);
  assert.deepEqual(
    policies.map(({ name }: { name: string }) => name),
    ["administrator", "test-policy"],
  );
  assert.deepEqual(policies[1], changed);
});

test("a policy without its envelope, and with Statement for statements, is listed as the others are", async (t) => {
  const { ok } = await openControl(t);
  const { statements, ...rest } = POLICY;

  await ok("POST", POLICIES, POLICY);
  await ok("POST", POLICIES, { policy: { ...rest, name: "two", Statement: statements } });

  const { policies } = await ok("GET", POLICIES);
  assert.deepEqual(policies.slice(1), [POLICY, { ...POLICY, name: "two" }]);
});

test("a policy holds from the next call on, and one that is deleted no more", async (t) => {
  const { ok, call, userToken } = await openControl(t);
  const token = await userToken({ uid: "ada" });
  const status = async () => (await call({ path: POLICIES, token })).status;

  assert.equal(await status(), 403);
  await ok("POST", POLICIES, { policy: POLICY });
  assert.equal(await status(), 200);
  assert.deepEqual(await ok("DELETE", `${POLICIES}/test-policy`), {});
  assert.equal(await status(), 403);
  assert.equal((await call({ method: "DELETE", path: `${POLICIES}/test-policy` })).status, 404);
});

test("a policy that is wrong is refused with a message that points at what is wrong", async (t) => {
  const { call, ok } = await openControl(t);

  const refusals: readonly (readonly [object, RegExp])[] = [
    [{}, /^Missing required field version/],
    [{ policy: { ...POLICY, version: "v1" } }, /^policy\.version: must be "v1alpha1"/],
    [
      { policy: { ...POLICY, statements: [{ ...STATEMENT, actions: ["s3:GetObjekt"] }] } },
      /^policy\.statements\[0\]\.actions\[0\]: .*Did you mean "s3:GetObject"/,
    ],
    [
      {
        policy: {
          ...POLICY,
          statements: [{ ...STATEMENT, principals: ["arn:aws:iam::ab1cd2:coreweave/ada"] }],
        },
      },
      /full ARN\. Write "coreweave\/ada"/,
    ],
  ];
  for (const [body, message] of refusals) {
    const { status, json } = await call({ method: "POST", path: POLICIES, body });
    assert.equal(status, 400);
    assert.equal(json.code, 3);
    assert.match(json.message, message);
  }
  const twice = `{"policy": {"version": "v1alpha1", "version": "v1alpha1", "name": "a", "statements": []}}`;
  const { json } = await call({ method: "POST", path: POLICIES, body: twice });
  assert.match(json.message, /is written twice/);
  assert.equal((await ok("GET", POLICIES)).policies.length, 1);
});

test("each organization has policies of its own", async (t) => {
  const { ok } = await openControl(t);
  await ok("POST", "/v1/lode/organization", { orgId: "other", name: "Other" });

  await ok("POST", `${POLICIES}?orgId=other`, { policy: POLICY });

  assert.deepEqual(await ok("GET", `${POLICIES}?orgId=other`), { policies: [POLICY] });
  assert.equal((await ok("GET", POLICIES)).policies[0].name, "administrator");
});
