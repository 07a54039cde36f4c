import assert from "node:assert/strict";
import { test } from "node:test";
import type { StorageClass } from "#object/attributes.ts";
import { bucketName, newBucketName, objectKey } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";
import { spoilCounters } from "#test/support/counters.ts";

const QUOTAS = "/v1/lode/quotas";
const RATES = "/v1/lode/rate-limits";
const ZONE = "US-EAST-04A";

async function withBucket(t: Parameters<typeof openControl>[0]) {
  const opened = await openControl(t);
  const { control, organizationId, engine } = opened;
  await control.catalog.create(newBucketName("data"), { id: organizationId, region: ZONE });
  const bucket = await control.catalog.bucket(bucketName("data"));
  const put = async (key: string, size: number, storageClass: StorageClass = "STANDARD") => {
    const body = {
      sizeBytes: size,
      chunks: (async function* () {
        yield Buffer.alloc(size);
      })(),
      ...{ algorithm: undefined, hasSha256: false },
      claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
    };
    const attributes = { headers: {}, userMetadata: {}, tags: [], storageClass };
    await engine.put({ bucket, key: objectKey(key) }, { body, attributes, conditions: {} });
  };
  return { ...opened, bucket, put };
}

test("SetQuota and DeleteQuota are seen by ListQuotas, with what is used", async (t) => {
  const { ok, put } = await withBucket(t);
  await put("a", 100);
  await put("b", 7, "STANDARD_IA");

  assert.deepEqual(await ok("GET", QUOTAS), { quotas: [] });
  await ok("PUT", QUOTAS, { zone: ZONE, bytes: "1099511627776" });
  await ok("PUT", QUOTAS, { zone: ZONE, storageClass: "STANDARD_IA", bytes: 0 });
  await ok("PUT", QUOTAS, { zone: "CA-EAST-01A", bytes: 5 });
  const standard = { zone: ZONE, storageClass: "STANDARD", bytes: "1099511627776" };
  assert.deepEqual(await ok("GET", QUOTAS), {
    quotas: [
      { zone: "CA-EAST-01A", storageClass: "STANDARD", bytes: "5", usedBytes: "0" },
      { ...standard, usedBytes: "100" },
      { zone: ZONE, storageClass: "STANDARD_IA", bytes: "0", usedBytes: "7" },
    ],
  });
  await ok("DELETE", `${QUOTAS}/${ZONE}/STANDARD_IA`);
  await ok("DELETE", `${QUOTAS}/CA-EAST-01A/STANDARD`);
  assert.deepEqual(await ok("GET", QUOTAS), { quotas: [{ ...standard, usedBytes: "100" }] });
});

test("quotas are of the organization that is named, and of no other", async (t) => {
  const { ok, call, control } = await withBucket(t);
  await control.organizations.create({ id: "other", name: "Other" });

  await ok("PUT", QUOTAS, { orgId: "other", zone: ZONE, bytes: 1 });

  assert.deepEqual((await ok("GET", QUOTAS)).quotas, []);
  assert.equal((await ok("GET", `${QUOTAS}?orgId=other`)).quotas.length, 1);
  const body = { orgId: "nobody", zone: ZONE, bytes: 1 };
  assert.equal((await call({ method: "PUT", path: QUOTAS, body })).status, 404);
  const gone = { method: "DELETE", path: `${QUOTAS}/${ZONE}/STANDARD` };
  assert.equal((await call(gone)).status, 404);
  assert.equal((await call({ ...gone, path: `${gone.path}?orgId=other` })).status, 200);
});

test("a quota that cannot be one is refused", async (t) => {
  const { call } = await withBucket(t);

  for (const body of [
    { zone: "", bytes: 1 },
    { zone: "a b", bytes: 1 },
    { zone: "__proto__", bytes: 1 },
    { zone: ZONE, bytes: -1 },
    { zone: ZONE, bytes: 1.5 },
    { zone: ZONE, storageClass: "GLACIER", bytes: 1 },
    { zone: ZONE },
  ]) {
    const { status, json } = await call({ method: "PUT", path: QUOTAS, body });
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(json.code, 3);
  }
});

test("an organization has quotas in at most 100 zones, and its policies stay as they are", async (t) => {
  const { ok, call, control, organizationId } = await withBucket(t);
  const before = await control.policies.list(organizationId);
  for (let zone = 0; zone < 100; zone += 1) {
    await ok("PUT", QUOTAS, { zone: `zone-${zone}`, bytes: zone });
  }

  const more = { zone: "zone-100", bytes: 1 };
  assert.equal((await call({ method: "PUT", path: QUOTAS, body: more })).json.code, 8);
  await ok("PUT", QUOTAS, { zone: "zone-7", bytes: 70 });
  assert.deepEqual(await control.policies.list(organizationId), before);
  const document = { version: "v1alpha1", name: "more", statements: [] };
  const statement = { name: "s", effect: "Allow", actions: ["*"], resources: ["*"] };
  const statements = [{ ...statement, principals: ["*"] }];
  await control.policies.ensure(organizationId, JSON.stringify({ ...document, statements }));
  assert.equal((await ok("GET", QUOTAS)).quotas.length, 100);
});

test("GetUsage tells what there is by zone and class, with the quotas", async (t) => {
  const { ok, put, engine, bucket } = await withBucket(t);
  await put("a", 100);
  await put("b", 7, "STANDARD_IA");
  await put("c", 7, "STANDARD_IA");
  await engine.delete({ bucket, key: objectKey("c") }, {});
  await ok("PUT", QUOTAS, { zone: ZONE, bytes: 200 });

  assert.deepEqual(await ok("GET", "/v1/lode/usage"), {
    zones: [
      {
        zone: ZONE,
        classes: [
          {
            ...{ storageClass: "STANDARD", versions: "1", bytes: "100" },
            ...{ uploadBytes: "0", quotaBytes: "200" },
          },
          { storageClass: "STANDARD_IA", versions: "1", bytes: "7", uploadBytes: "0" },
        ],
        deleteMarkers: "0",
        uploads: "0",
      },
    ],
  });
});

test("RecountUsage puts counters right and tells what was wrong", async (t) => {
  const { ok, call, put, bucket, meta, clock } = await withBucket(t);
  await put("a", 100);
  await spoilCounters({ meta }, bucket, { bucket: [1, 90, 0, 0, 0], zone: [1, 100] });
  const finished = async () => {
    for (;;) {
      const { recount } = await ok("GET", "/v1/lode/usage/recount");
      if (recount.endTime !== undefined) return recount;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  assert.deepEqual(await ok("GET", "/v1/lode/usage/recount"), {});

  await ok("POST", "/v1/lode/usage/recount", { bucketName: "data" });
  const first = await finished();
  clock.move(1_000);
  await ok("POST", "/v1/lode/usage/recount");
  const second = await finished();

  assert.deepEqual(first.repairs, [
    { counter: "bucket", name: "data", added: [0, 10, 0, 0, 0, 0, 0, 0] },
  ]);
  assert.equal(first.bucketName, "data");
  assert.deepEqual([second.repairs, second.failures, second.bucketName], [[], [], undefined]);
  assert.notEqual(first.startTime, second.startTime);
  const missing = { bucketName: "missing" };
  const path = "/v1/lode/usage/recount";
  assert.equal((await call({ method: "POST", path, body: missing })).status, 404);
});

test("rate limits of principals and of a bucket are set, told, replaced and taken away", async (t) => {
  const { ok } = await withBucket(t);
  const told = async () => await ok("GET", `${RATES}?bucketName=data`);

  assert.deepEqual(await told(), { principal: {}, bucket: {} });
  await ok("PUT", `${RATES}/principal`, { requestsPerSecond: 100, bytesPerSecond: "1000000" });
  await ok("PUT", `${RATES}/bucket`, { bucketName: "data", requestsPerSecond: 7 });
  assert.deepEqual(await told(), {
    principal: { requestsPerSecond: "100", bytesPerSecond: "1000000" },
    bucket: { requestsPerSecond: "7" },
  });
  assert.deepEqual(await ok("GET", RATES), {
    principal: { requestsPerSecond: "100", bytesPerSecond: "1000000" },
  });
  await ok("PUT", `${RATES}/bucket`, { bucketName: "data" });
  await ok("PUT", `${RATES}/principal`, { bytesPerSecond: 5 });
  assert.deepEqual(await told(), { principal: { bytesPerSecond: "5" }, bucket: {} });
});

test("a rate of nothing, and one of a bucket that is not the organization's, are refused", async (t) => {
  const { call, control } = await withBucket(t);
  await control.organizations.create({ id: "other", name: "Other" });
  const put = async (path: string, body: unknown) =>
    (await call({ method: "PUT", path: RATES + path, body })).status;

  assert.equal(await put("/principal", { requestsPerSecond: 0 }), 400);
  assert.equal(await put("/bucket", { bucketName: "data", bytesPerSecond: "0" }), 400);
  assert.equal(await put("/bucket", { bucketName: "data", orgId: "other" }), 404);
  assert.equal(await put("/principal", { orgId: "nobody" }), 404);
});

test("settings of a bucket that are changed keep its rates, and the other way round", async (t) => {
  const { ok, control, bucket } = await withBucket(t);
  const settings = { capacityCapBytes: 5 };
  const cap = { bucketName: "data", settings };
  await ok("PUT", "/v1/cwobject/bucket/settings", cap);
  await ok("PUT", `${RATES}/bucket`, { bucketName: "data", requestsPerSecond: 7 });
  await ok("PUT", "/v1/cwobject/bucket/settings", { ...cap, settings: {} });

  const { control: set } = await control.catalog.settings(bucket);
  assert.equal(set.capacityCapBytes, 5);
  assert.equal(set.rates.requestsPerSecond, 7);
});
