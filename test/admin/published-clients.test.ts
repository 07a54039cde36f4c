import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { newBucketName } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";

// Requests as published clients of CoreWeave's API send them, and what those clients read of the answers.

async function asUser(t: TestContext) {
  const opened = await openControl(t);
  const { control, organizationId, call } = opened;
  await control.catalog.create(newBucketName("ml-data"), {
    id: organizationId,
    region: "US-EAST-04A",
  });
  const token = await opened.userToken({ uid: "tf" });
  await opened.allow("coreweave/tf", ["cwobject:*"]);
  const send = async (method: string, path: string, body?: unknown) =>
    await call({ method, path, body, token, headers: { "content-type": "application/json" } });
  return { ...opened, send };
}

test("the documentation's examples by curl are answered as it says", async (t) => {
  const { send, organizationId } = await asUser(t);
  const policy = {
    version: "v1alpha1",
    name: "test-policy",
    statements: [
      {
        name: "allow-everything",
        effect: "Allow",
        actions: ["*"],
        resources: ["*"],
        principals: ["*"],
      },
    ],
  };

  const permanent = await send("POST", "/v1/cwobject/access-key", {
    durationSeconds: 0,
    attributes: { name: "permanent-key" },
  });
  assert.equal(permanent.json.principalName, "coreweave/tf");
  const { accessKeyId } = permanent.json;
  const listed = await send("GET", "/v1/cwobject/access-key");
  assert.equal(listed.json.info[0].accessKeyId, accessKeyId);
  const got = await send("GET", `/v1/cwobject/access-key/${accessKeyId}`);
  assert.equal(got.json.info.orgId, organizationId);
  assert.equal((await send("POST", "/v1/cwobject/access-policy", { policy })).status, 200);
  const policies = await send("GET", "/v1/cwobject/access-policy");
  assert.ok(policies.json.policies.some(({ name }: { name: string }) => name === "test-policy"));
  const canI = { actions: ["cwobject:ListBucketInfo"], resources: ["*"] };
  assert.deepEqual((await send("POST", "/v1/cwobject/auth/can-i", canI)).json, { verdict: true });
  assert.deepEqual((await send("DELETE", "/v1/cwobject/access-policy/test-policy")).json, {});
  const accessKey = { accessKey: accessKeyId };
  const revoke = "/v1/cwobject/revoke-access-key";
  assert.deepEqual((await send("POST", `${revoke}/access-key`, accessKey)).json, {});
  const principal = { principalName: "coreweave/tf" };
  assert.deepEqual((await send("POST", `${revoke}/principal`, principal)).json, {});
  const status = { ...principal, status: "ACCESS_KEY_STATUS_SUSPENDED" };
  assert.deepEqual((await send("PUT", "/v1/cwobject/access-key-status", status)).json, {});
});

test("Terraform's life of an access key: make, read, make again what is gone, destroy twice", async (t) => {
  const { send } = await asUser(t);

  const { json } = await send("POST", "/v1/cwobject/access-key", {
    durationSeconds: 3_600,
    attributes: { team: "ml" },
  });
  assert.notEqual(json.secretKey, "");
  const path = `/v1/cwobject/access-key/${json.accessKeyId}`;
  const { info } = (await send("GET", path)).json;
  assert.equal(info.accessKeyId, json.accessKeyId);
  assert.equal(info.status, "ACTIVE");
  assert.deepEqual(info.attributes, { team: "ml" });
  assert.equal((await send("GET", "/v1/cwobject/access-key/CWAAAAAAAAAAAAAA")).json.code, 5);
  const revoke = async () =>
    await send("POST", "/v1/cwobject/revoke-access-key/access-key", {
      accessKey: json.accessKeyId,
    });
  assert.equal((await revoke()).status, 200);
  assert.ok([200, 404].includes((await revoke()).status), "which it takes for gone");
});

test("Terraform's life of bucket settings, in an organization without the archive", async (t) => {
  const { send } = await asUser(t);
  const path = "/v1/cwobject/bucket/settings";

  const created = await send("PUT", path, {
    bucketName: "ml-data",
    settings: { auditLoggingEnabled: true },
  });
  assert.equal(created.json.settings.auditLoggingEnabled, true);
  assert.ok(!("archiveEnabled" in created.json.settings), "an unentitled organization is not told");
  const read = await send("GET", "/v1/cwobject/bucket-info/ml-data");
  assert.equal(read.json.info.name, "ml-data");
  assert.equal(read.json.info.settings.auditLoggingEnabled, true);
  const archive = { bucketName: "ml-data", settings: { archiveEnabled: true } };
  assert.equal((await send("PUT", path, archive)).json.code, 7);
  const destroyed = { bucketName: "ml-data", settings: { auditLoggingEnabled: false } };
  assert.equal((await send("PUT", path, destroyed)).json.settings.auditLoggingEnabled, false);
  const gone = { bucketName: "no-such", settings: { auditLoggingEnabled: false } };
  assert.equal((await send("PUT", path, gone)).json.code, 5);
});

test("Terraform's life of an access policy: put, put again, find in the list, delete, delete again", async (t) => {
  const { send } = await asUser(t);
  const path = "/v1/cwobject/access-policy";
  const policy = (actions: readonly string[]) => ({
    policy: {
      name: "full-s3-api-access",
      version: "v1alpha1",
      statements: [
        {
          name: "allow-full-s3-api-access-to-all",
          ...{ effect: "Allow", actions, resources: ["*"], principals: ["*"] },
        },
      ],
    },
  });

  assert.equal((await send("POST", path, policy(["s3:*", "cwobject:*"]))).status, 200);
  assert.equal((await send("POST", path, policy(["s3:*"]))).status, 200);
  const { policies } = (await send("GET", path)).json;
  const found = policies.filter(({ name }: { name: string }) => name === "full-s3-api-access");
  assert.equal(found.length, 1);
  assert.deepEqual(found[0].statements[0].actions, ["s3:*"]);
  assert.equal((await send("DELETE", `${path}/full-s3-api-access`)).status, 200);
  assert.equal((await send("DELETE", `${path}/full-s3-api-access`)).json.code, 5);
});

test("a client that pages by offset until a page is short sees every key and every bucket once", async (t) => {
  const { send, control, organizationId } = await asUser(t);
  for (let number = 0; number < 12; number += 1) {
    await send("POST", "/v1/cwobject/access-key", { durationSeconds: 0 });
    const name = newBucketName(`bucket-${number}`);
    await control.catalog.create(name, { id: organizationId, region: "US-EAST-04A" });
  }
  const all = async (path: string, id: string) => {
    const seen: string[] = [];
    for (let offset = 0; ; offset += 5) {
      const { info } = (await send("GET", `${path}?offset=${offset}&limit=5`)).json;
      seen.push(...info.map((each: Record<string, string>) => each[id]));
      if (info.length < 5) return seen;
    }
  };

  for (const [path, id, count] of [
    ["/v1/cwobject/access-key", "accessKeyId", 12],
    ["/v1/cwobject/bucket-info", "name", 13],
  ] as const) {
    const seen = await all(path, id);
    assert.equal(seen.length, count);
    assert.equal(new Set(seen).size, count);
  }
});

test("a workflow that revokes its key by accessKeyId, and a client that looks for the bytes of a bucket", async (t) => {
  const { send } = await asUser(t);
  const { accessKeyId } = (await send("POST", "/v1/cwobject/access-key", { durationSeconds: 900 }))
    .json;

  const revoked = await send("POST", "/v1/cwobject/revoke-access-key/access-key", { accessKeyId });
  assert.equal(revoked.status, 200);
  const { info } = (await send("GET", "/v1/cwobject/bucket-info/ml-data")).json;
  const bytes = info.usage.find(({ measurementType }: { measurementType: string }) =>
    /USAGE_BYTES|BYTES/i.test(measurementType),
  );
  assert.equal(Number(bytes.value), 0);
  assert.equal(info.location, "US-EAST-04A");
});
