/** What somebody who may do everything in one organization reaches of another: nothing. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { newBucketName } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";

const EVERYTHING = {
  ...{ name: "all", effect: "Allow", actions: ["*"], resources: ["*"], principals: ["*"] },
};

/** Two organizations; of the first a user with a key, a token, a bucket, a policy and an issuer. */
async function openTwo(t: TestContext) {
  const opened = await openControl(t);
  const { control, ok, userToken, organizationId } = opened;
  await control.organizations.create({ id: "other", name: "Other" });
  const boss = await userToken({ uid: "boss", organizationId: "other" });
  const policy = { version: "v1alpha1", name: "all", statements: [EVERYTHING] };
  await control.policies.ensure("other", JSON.stringify(policy));

  const adaToken = await userToken({ uid: "ada" });
  const key = await ok("POST", "/v1/lode/user/ada/access-key", { durationSeconds: 0 });
  const token = await ok("POST", "/v1/lode/api-token", { uid: "ada", durationSeconds: 0 });
  const federation = {
    ...{ name: "ci", issuerUrl: "https://issuer.test", audiences: ["here"] },
  };
  const issuer = await ok("POST", "/v1/lode/federation/oidc", federation);
  const owner = { id: organizationId, region: "us-east-1" };
  await control.catalog.create(newBucketName("theirs"), owner);
  const asBoss = async (method: string, path: string, body?: unknown) =>
    await opened.call({ method, path, body, token: boss });
  return { ...opened, boss, asBoss, adaToken, key, token, issuer };
}

test("Ids and names of another organization's things are not found, whatever is asked of them", async (t) => {
  const { asBoss, call, ok, adaToken, key, token, issuer } = await openTwo(t);
  const { accessKeyId } = key;

  const asks: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ["GET", `/v1/cwobject/access-key/${accessKeyId}`],
    ["POST", "/v1/cwobject/revoke-access-key/access-key", { accessKey: accessKeyId }],
    ["PUT", `/v1/lode/access-key-status/${accessKeyId}`, { status: "SUSPENDED" }],
    ["GET", "/v1/cwobject/bucket-info/theirs"],
    ["PUT", "/v1/cwobject/bucket/settings", { bucketName: "theirs", settings: {} }],
    ["GET", "/v1/lode/rate-limits?bucketName=theirs"],
    ["GET", "/v1/lode/user/ada"],
    ["PUT", "/v1/lode/user/ada", { groups: ["admins"] }],
    ["DELETE", "/v1/lode/user/ada"],
    ["POST", "/v1/lode/user/ada/access-key", { durationSeconds: 0 }],
    ["POST", "/v1/lode/api-token", { uid: "ada", durationSeconds: 0 }],
    ["DELETE", `/v1/lode/api-token/${token.id}`],
    ["GET", `/v1/lode/federation/oidc/${issuer.id}`],
    ["PUT", `/v1/lode/federation/oidc/${issuer.id}`, { active: false }],
    ["DELETE", `/v1/lode/federation/oidc/${issuer.id}`],
    ["POST", "/v1/lode/explain-access", ask("coreweave/ada")],
  ];
  for (const [method, path, body] of asks) {
    const { status, json } = await asBoss(method, path, body);
    assert.equal(status, 404, `${method} ${path}: ${JSON.stringify(json)}`);
  }

  assert.equal((await call({ path: "/v1/lode/whoami", token: adaToken })).status, 200);
  assert.equal((await ok("GET", `/v1/cwobject/access-key/${accessKeyId}`)).info.status, "ACTIVE");
  assert.equal((await ok("GET", `/v1/lode/federation/oidc/${issuer.id}`)).active, true);
});

function ask(principalName: string) {
  return { principalName, actions: ["s3:GetObject"], resources: ["theirs/key"] };
}

test("What is done to a principal is done to the one of the caller's own organization", async (t) => {
  const { asBoss, ok, key } = await openTwo(t);
  const principalName = "coreweave/ada";

  await asBoss("POST", "/v1/cwobject/revoke-access-key/principal", { principalName });
  const status = { principalName, status: "SUSPENDED" };
  await asBoss("PUT", "/v1/cwobject/access-key-status", status);

  const { info } = await ok("GET", `/v1/cwobject/access-key/${key.accessKeyId}`);
  assert.equal(info.status, "ACTIVE");
});

test("Lists hold nothing of another organization, with a page token of its own neither", async (t) => {
  const { asBoss, ok, control, organizationId } = await openTwo(t);
  for (const uid of ["b", "c"]) await ok("POST", "/v1/lode/user", { uid, name: uid });
  await control.catalog.create(newBucketName("theirs-too"), { id: organizationId, region: "x" });
  await ok("POST", "/v1/lode/user/b/access-key", { durationSeconds: 0 });
  await ok("POST", "/v1/lode/api-token", { uid: "b", durationSeconds: 0 });

  for (const [path, field] of [
    ["/v1/lode/user", "users"],
    ["/v1/lode/api-token", "tokens"],
    ["/v1/cwobject/access-key", "info"],
    ["/v1/cwobject/bucket-info", "info"],
  ] as const) {
    const { nextPageToken } = await ok("GET", `${path}?limit=1`);
    assert.ok(nextPageToken, path);
    const own = await asBoss("GET", path);
    const forged = [`${organizationId}/`, `${organizationId}/a`, "../", "\0", "/"];
    const tokens = [
      nextPageToken,
      ...forged.map((text) => Buffer.from(text).toString("base64url")),
    ];
    for (const token of tokens) {
      const { status, json } = await asBoss(
        "GET",
        `${path}?pageToken=${encodeURIComponent(token)}`,
      );
      if (status !== 200) continue;
      const known = JSON.stringify(own.json);
      // biome-ignore lint/suspicious/noExplicitAny: rows of every shape.
      const rows = (json as any)[field] ?? [];
      for (const row of rows) assert.ok(known.includes(JSON.stringify(row)), `${path} ${token}`);
    }
  }
});

test("No spelling of orgId makes a call another organization's", async (t) => {
  const { asBoss, call, boss, ok, organizationId } = await openTwo(t);
  const whole = await ok("GET", "/v1/lode/user");
  const user = { uid: "mallory", name: "Mallory" };

  for (const [query, body] of [
    [`?orgId=${organizationId}`, user],
    [`?org_id=${organizationId}`, user],
    [`?orgId=other&org_id=${organizationId}`, user],
    [`?orgId=other&orgId=${organizationId}`, user],
    ["?orgId=other", { ...user, orgId: organizationId }],
    ["", { ...user, orgId: organizationId }],
    ["", { ...user, org_id: organizationId }],
    ["", { ...user, orgId: ["other", organizationId] }],
    ["", { ...user, orgId: { toString: organizationId } }],
    ["", { ...user, OrgId: organizationId }],
    ["", { ...user, organizationId }],
    ["", `{"orgId":"other","orgId":"${organizationId}","uid":"mallory","name":"M"}`],
    ["", `{"__proto__":{"orgId":"${organizationId}"},"uid":"mallory","name":"M"}`],
  ] as const) {
    const { status } = await asBoss("POST", `/v1/lode/user${query}`, body);
    assert.ok(status === 403 || status === 400, `${query} ${JSON.stringify(body)}: ${status}`);
  }
  const headers = { "x-org-id": organizationId };
  const { status } = await call({ path: "/v1/lode/user/ada", token: boss, headers });
  assert.equal(status, 404);
  assert.deepEqual(await ok("GET", "/v1/lode/user"), whole);
});

test("A path that is spelled otherwise leads nowhere, and asks for a token where it leads", async (t) => {
  const { call } = await openControl(t);

  for (const path of [
    "//v1/lode/user",
    "/v1//lode/user",
    "/v1/lode/user/",
    "/v1/lode/./user",
    "/v1/lode/x/../user",
    "/v1/lode/%75ser",
    "/V1/lode/user",
    "/health/../v1/lode/user",
    "/openapi.json/../v1/lode/user",
    "/v1/lode/user;a=b",
    "http://127.0.0.1/v1/lode/user",
    "*",
  ]) {
    for (const token of [undefined, "wrong"]) {
      const { status } = await call({ path, token });
      assert.ok(status === 404 || status === 401, `${path}: ${status}`);
    }
    const { status } = await call({ path });
    assert.equal(status, 404, path);
  }
});
