import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketName, newBucketName } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";

const CAN_I = { method: "POST", path: "/v1/cwobject/auth/can-i" };
const EXPLAIN = "/v1/lode/explain-access";

async function withPolicies(t: Parameters<typeof openControl>[0]) {
  const opened = await openControl(t);
  const { control, organizationId } = opened;
  await control.catalog.create(newBucketName("data"), { id: organizationId, region: "x" });
  const token = await opened.userToken({ uid: "ada" });
  await opened.allow("coreweave/ada", ["s3:GetObject", "s3:ListBucket", "cwobject:ListBucketInfo"]);
  const bucketPolicy = async (statement: object) => {
    const bucket = await control.catalog.bucket(bucketName("data"));
    const policy = { Version: "2012-10-17", Statement: statement };
    await control.catalog.setDocument(bucket, "policy", JSON.stringify(policy));
  };
  return { ...opened, token, bucketPolicy };
}

test("AuthCanI answers one verdict: true when all of it is allowed", async (t) => {
  const { call, token } = await withPolicies(t);
  const can = async (actions: readonly string[], resources: readonly string[]) =>
    (await call({ ...CAN_I, token, body: { actions, resources } })).json;

  assert.deepEqual(await can(["cwobject:ListBucketInfo"], ["*"]), { verdict: true });
  const both = ["s3:GetObject", "s3:ListBucket"];
  assert.deepEqual(await can(both, ["data", "data/a/b"]), { verdict: true });
  assert.deepEqual(await can([...both, "s3:PutObject"], ["data/a"]), { verdict: false });
  assert.deepEqual(await can(["cwobject:CreateAccessKey"], ["*"]), { verdict: false });
});

test("AuthCanI looks at the bucket's policy too, and at that of a bucket that is yet to be", async (t) => {
  const { call, token, bucketPolicy } = await withPolicies(t);
  const can = async (resource: string) => {
    const body = { actions: ["s3:GetObject"], resources: [resource] };
    return (await call({ ...CAN_I, token, body })).json.verdict;
  };

  assert.equal(await can("data/a"), true);
  await bucketPolicy({
    ...{ Sid: "open", Effect: "Allow", Principal: "*", Action: "s3:GetObject" },
    Resource: "arn:aws:s3:::data/open/*",
  });
  assert.equal(await can("data/a"), false);
  assert.equal(await can("data/open/a"), true);
  assert.equal(await can("nowhere/a"), true);
});

test("AuthCanI refuses what is no action and no resource, and an empty question", async (t) => {
  const { call } = await withPolicies(t);

  const refusals: readonly (readonly [object, RegExp])[] = [
    [{ actions: ["s3:GetObjec"], resources: ["*"] }, /Did you mean "s3:GetObject"/],
    [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::data"] }, /^resources: /],
    [{ actions: [], resources: ["*"] }, /^actions: name at least one/],
    [{ actions: ["s3:GetObject"], resources: [] }, /^resources: name at least one/],
    [{ resources: ["*"] }, /^actions: is required/],
    [
      { actions: ["s3:GetObject"], resources: Array.from({ length: 1_001 }, () => "*") },
      /at most 1000 pairs/,
    ],
  ];
  for (const [body, message] of refusals) {
    const { status, json } = await call({ ...CAN_I, body });
    assert.equal(status, 400);
    assert.match(json.message, message);
  }
});

test("the operator can do all of the control API, and nothing of S3 by its token", async (t) => {
  const { ok } = await withPolicies(t);
  const can = async (action: string) =>
    (await ok("POST", CAN_I.path, { actions: [action], resources: ["*"] })).verdict;

  assert.equal(await can("cwobject:DeleteAccessPolicy"), true);
  assert.equal(await can("s3:GetObject"), false);
});

test("ExplainAccess names the statement that decides, of the organization or of the bucket", async (t) => {
  const { ok, bucketPolicy } = await withPolicies(t);
  const explain = async (action: string, resource: string) => {
    const ask = { principalName: "coreweave/ada", actions: [action], resources: [resource] };
    const { decisions } = await ok("POST", EXPLAIN, ask);
    return decisions[0];
  };

  const allowed = await explain("s3:GetObject", "data/a");
  assert.equal(allowed.allowed, true);
  assert.equal(allowed.reason, "organization-allows");
  assert.equal(allowed.statement.kind, "organization");
  assert.equal(allowed.statement.statement, "allow");
  assert.deepEqual(await explain("s3:PutObject", "data/a"), {
    action: "s3:PutObject",
    resource: "data/a",
    allowed: false,
    reason: "organization-silent",
    explanation: "denied: no organization policy allows it",
  });
  await bucketPolicy({
    ...{ Sid: "keep-out", Effect: "Deny", Principal: "*", Action: "s3:GetObject" },
    Resource: "arn:aws:s3:::data/*",
  });
  const denied = await explain("s3:GetObject", "data/a");
  assert.deepEqual(denied.statement, { kind: "bucket", policy: "data", statement: "keep-out" });
});

test("ExplainAccess takes what conditions would find, by names in upper or lower case", async (t) => {
  const { ok, bucketPolicy } = await withPolicies(t);
  await bucketPolicy({
    ...{ Effect: "Allow", Principal: "*", Action: "s3:ListBucket" },
    Resource: "arn:aws:s3:::data",
    Condition: { StringEquals: { "s3:prefix": ["a/", "b/"] } },
  });
  const verdict = async (context: object) => {
    const ask = { actions: ["s3:ListBucket"], resources: ["data"], context };
    return (await ok("POST", EXPLAIN, { principalName: "coreweave/ada", ...ask })).verdict;
  };

  assert.equal(await verdict({ "s3:prefix": "a/" }), true);
  assert.equal(await verdict({ "S3:Prefix": ["b/"] }), true);
  assert.equal(await verdict({ "s3:prefix": "c/" }), false);
  assert.equal(await verdict({}), false);
});

test("ExplainAccess speaks of roles with their groups, and of the anonymous", async (t) => {
  const { ok, call, bucketPolicy, organizationId } = await withPolicies(t);
  await bucketPolicy({
    ...{ Effect: "Allow", Principal: "*", Action: "s3:GetObject" },
    Resource: "arn:aws:s3:::data/*",
    Condition: { StringEquals: { [`iam:${organizationId}:groups`]: "ml" } },
  });
  const ask = { actions: ["s3:GetObject"], resources: ["data/a"] };
  const role = async (groups: readonly string[]) =>
    (await ok("POST", EXPLAIN, { principalName: "role/ci", groups, ...ask })).decisions[0];

  assert.equal((await role(["ml"])).reason, "organization-silent");
  await ok("POST", "/v1/cwobject/access-policy", {
    version: "v1alpha1",
    name: "ci",
    statements: [
      {
        ...{ name: "ci", effect: "Allow", actions: ["s3:*"], resources: ["*"] },
        principals: ["role/ci"],
      },
    ],
  });
  assert.equal((await role(["ml"])).allowed, true);
  assert.equal((await role([])).reason, "bucket-silent");
  const anonymous = await ok("POST", EXPLAIN, { principalName: "anonymous", ...ask });
  assert.equal(anonymous.verdict, false);
  for (const [principalName, status] of [
    ["coreweave/nobody", 404],
    ["bob", 400],
  ] as const) {
    const body = { principalName, ...ask };
    assert.equal((await call({ method: "POST", path: EXPLAIN, body })).status, status);
  }
});
