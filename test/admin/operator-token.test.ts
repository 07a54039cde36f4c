import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import { adminToken } from "#server/admin-token.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

test("the first start makes the operator's token for its owner alone, later ones keep it, and without the file there is another", async () => {
  const path = join(await temporaryDirectory(), "admin-token");

  const { token } = adminToken({ adminToken: path }, undefined);

  assert.match(token, /^lode_operator_[\w-]{43}$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(adminToken({ adminToken: path }, undefined).token, token);
  assert.equal(
    adminToken({ adminToken: path }, "a-token-that-was-given").token,
    "a-token-that-was-given",
  );
  assert.equal(readFileSync(path, "utf8").trim(), token, "a given one is not kept");
  rmSync(path);
  assert.notEqual(adminToken({ adminToken: path }, undefined).token, token);
  writeFileSync(path, "short\n");
  assert.throws(() => adminToken({ adminToken: path }, undefined), StorageError);
});

test("a server serves the control API beside health, metrics and the OpenAPI document, and logs its calls", async (t) => {
  const LODE_ADMIN_TOKEN = "operator-token-of-this-server";
  const server = await startRealServer(t, { environment: { LODE_ADMIN_TOKEN } });
  const get = async (path: string, token?: string) =>
    await fetch(server.adminEndpoint + path, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  const whoami = await get("/v1/lode/whoami", LODE_ADMIN_TOKEN);
  assert.equal(whoami.status, 200);
  assert.match(await whoami.text(), /"kind":"operator"/);
  assert.equal((await get("/v1/lode/whoami", "another")).status, 401);
  assert.equal((await get("/v1/lode/whoami")).status, 401);
  assert.equal((await get("/health/ready")).status, 200);
  assert.match(await (await get("/metrics")).text(), /lode_requests_total/);
  assert.match(await (await get("/openapi.json")).text(), /^\{"openapi":"3\.1\.0"/);
  assert.equal((await get("/nowhere")).status, 404);
  assert.equal((await fetch(`${server.adminEndpoint}/metrics`, { method: "POST" })).status, 405);
});

test("an empty LODE_ADMIN_TOKEN is none: it opens nothing, and hides no other", async (t) => {
  const config = join(await temporaryDirectory(), "lode.json");
  writeFileSync(config, JSON.stringify({ "admin-token": "operator-token-of-the-file" }));
  const environment = { LODE_ADMIN_TOKEN: "" };
  const whoami = async (endpoint: string, authorization?: string) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    return (await fetch(`${endpoint}/v1/lode/whoami`, { headers })).status;
  };
  const [made, named] = [
    await startRealServer(t, { environment }),
    await startRealServer(t, { environment, flags: ["--config", config] }),
  ];

  for (const { adminEndpoint } of [made, named]) {
    for (const nothing of [undefined, "", "Bearer", "Bearer ", 'Bearer ""']) {
      assert.equal(await whoami(adminEndpoint, nothing), 401);
    }
  }
  const kept = readFileSync(join(made.dataDirectory, "admin-token"), "utf8").trim();
  assert.equal(await whoami(made.adminEndpoint, `Bearer ${kept}`), 200);
  assert.equal(await whoami(named.adminEndpoint, "Bearer operator-token-of-the-file"), 200);
  assert.equal(existsSync(join(named.dataDirectory, "admin-token")), false);
});

test("an empty token that is given is no token, whoever gives it", async () => {
  const path = join(await temporaryDirectory(), "admin-token");

  const { token } = adminToken({ adminToken: path }, "");

  assert.match(token, /^lode_operator_[\w-]{43}$/);
});

test("a key made by the control API signs S3 requests in every worker at once, and a revoked one none", async (t) => {
  const { CreateBucketCommand, ListBucketsCommand, S3Client } = await import("@aws-sdk/client-s3");
  const server = await startRealServer(t, { workers: 2 });
  const token = readFileSync(join(server.dataDirectory, "admin-token"), "utf8").trim();
  const call = async (path: string, body: unknown) => {
    const response = await fetch(server.adminEndpoint + path, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200);
    // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes.
    return (await response.json()) as any;
  };
  const key = await call("/v1/lode/user/admin/access-key", { durationSeconds: 600 });
  const client = () =>
    new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: key.accessKeyId, secretAccessKey: key.secretKey },
    });
  await client().send(new CreateBucketCommand({ Bucket: "made" }));
  for (let time = 0; time < 8; time += 1) await client().send(new ListBucketsCommand());

  await call("/v1/cwobject/revoke-access-key/access-key", { accessKey: key.accessKeyId });

  for (let time = 0; time < 8; time += 1) {
    await assert.rejects(client().send(new ListBucketsCommand()), { name: "InvalidAccessKeyId" });
  }
});
