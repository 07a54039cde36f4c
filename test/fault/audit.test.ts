/** Audit records over real processes: what two workers saw is delivered, and holds no secret. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { ControlPlaneRecord, DataPlaneRecord } from "#audit/record.ts";
import { systemClock } from "#base/clock.ts";
import { signedForm } from "#test/support/form.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";
import { presignedUrl } from "#test/support/sign.ts";

const KEYS = Array.from({ length: 40 }, (_, index) => `key-${String(index).padStart(2, "0")}`);

function clientOf({ endpoint, accessKeyId, secret }: RealServer): S3Client {
  const credentials = { accessKeyId, secretAccessKey: secret };
  return new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true });
}

function controlOf(server: RealServer) {
  const token = readFileSync(join(server.dataDirectory, "admin-token"), "utf8").trim();
  return async (method: string, path: string, body?: unknown) => {
    const reply = await fetch(`${server.adminEndpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.equal(reply.status, 200, await reply.clone().text());
    return (await reply.json()) as Record<string, unknown>;
  };
}

test("each request to either of two workers is in the audit bucket after a clean stop", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  const control = controlOf(server);
  const organizationId = String((await control("GET", "/v1/lode/whoami"))["orgId"]);
  const settings = { bucketAuditLoggingEnabled: true, controlPlaneAuditLoggingEnabled: true };
  await control("PUT", "/v1/cwobject/organization/settings", { settings });
  const client = clientOf(server);
  await client.send(new CreateBucketCommand({ Bucket: "data" }));
  for (const Key of KEYS)
    await client.send(new PutObjectCommand({ Bucket: "data", Key, Body: "x" }));
  await client.send(new CreateBucketCommand({ Bucket: "copies" }));
  const copy = { Bucket: "copies", Key: "copy", CopySource: `data/${KEYS[1]}` };
  await client.send(new CopyObjectCommand(copy));
  await client.send(new CopyObjectCommand({ ...copy, Bucket: "data" }));
  const { accessKeyId, secret, endpoint } = server;
  const url = presignedUrl({
    method: "GET",
    url: `${endpoint}/data/${KEYS[0]}`,
    accessKeyId,
    secret,
    expiresSeconds: 60,
  });
  assert.equal((await fetch(url)).status, 200);
  const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "";
  const form = signedForm({
    ...{ accessKeyId, secret, bucket: "data", fields: { key: "posted" } },
    nowMs: systemClock.now(),
  });
  const fields = new FormData();
  for (const [name, value] of form) fields.append(name, value);
  fields.append("file", new Blob(["x"]));
  assert.equal((await fetch(`${endpoint}/data`, { method: "POST", body: fields })).status, 204);
  const formSignature = new Map(form).get("x-amz-signature") ?? "";
  await control("GET", "/v1/cwobject/bucket-info/data");
  assert.equal(await server.stop(), 0);

  const again = await startRealServer(t, { dataDirectory: server.dataDirectory });
  const { texts, keys } = await auditedBy(clientOf(again), `cw-${organizationId}-audit-logs`);

  const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
  const records = lines.map((line) => JSON.parse(line) as DataPlaneRecord & ControlPlaneRecord);
  const puts = records.filter(({ action }) => action === "s3:PutObject");
  assert.deepEqual(puts.map(({ key }) => key).sort(), KEYS);
  const [put] = puts;
  assert.equal(put?.principal, "coreweave/admin");
  assert.equal(put?.["aws:arn"], `arn:aws:iam::${organizationId}:coreweave/admin`);
  assert.equal(put?.accessKeyId, accessKeyId);
  assert.equal(put?.bucketName, "data");
  assert.equal(put?.sourceIp, "127.0.0.1");
  assert.equal(put?.status, 200);
  assert.equal(records.filter(({ action }) => action === "s3:GetObject").length, 1);
  const [posted] = records.filter(({ action }) => action === "s3:PostObject");
  assert.deepEqual([posted?.key, posted?.accessKeyId], ["posted", accessKeyId]);
  const created = records.filter(({ action }) => action === "s3:CreateBucket");
  assert.deepEqual(created.map(({ bucketName }) => bucketName).sort(), ["copies", "data"]);
  const copied = records.filter(({ action }) => action === "s3:CopyObject");
  const subjects = copied.map(({ bucketName, key }) => `${bucketName}/${key}`).sort();
  // Whose data is read learns of it, whatever bucket it goes to.
  assert.deepEqual(subjects, ["copies/copy", "data/copy", `data/${KEYS[1]}`]);
  const [info] = records.filter(({ action }) => action === "cwobject:GetBucketInfo");
  assert.equal(info?.principal, "operator");
  assert.equal(info?.identifier, "data");
  assert.deepEqual([...new Set(keys.map((key) => key.split("/")[0]))].sort(), [
    "control-plane",
    "data-plane",
  ]);
  for (const hidden of [secret, signature, formSignature, "X-Amz-"]) {
    assert.ok(!texts.some((text) => text.includes(hidden)), `no record holds ${hidden}`);
  }
});

async function auditedBy(client: S3Client, bucket: string) {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const keys = Contents.map(({ Key = "" }) => Key);
  const texts: string[] = [];
  for (const Key of keys) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const bytes = await Body?.transformToByteArray();
    texts.push(gunzipSync(bytes ?? new Uint8Array()).toString());
  }
  return { keys, texts };
}
