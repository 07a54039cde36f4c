import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketName, newBucketName, objectKey } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";

const INFO = "/v1/cwobject/bucket-info";
const SETTINGS = "/v1/cwobject/bucket/settings";

async function withBuckets(t: Parameters<typeof openControl>[0], names = ["data"]) {
  const opened = await openControl(t);
  const { control, organizationId, engine } = opened;
  for (const name of names) {
    const owner = { id: organizationId, region: "US-EAST-04A" };
    await control.catalog.create(newBucketName(name), owner);
  }
  const put = async (name: string, key: string, bytes: string) => {
    const bucket = await control.catalog.bucket(bucketName(name));
    const body = {
      sizeBytes: bytes.length,
      chunks: (async function* () {
        yield Buffer.from(bytes);
      })(),
      algorithm: undefined,
      hasSha256: false,
      claims: () => ({ md5: undefined, sha256: undefined, checksum: undefined }),
    };
    const attributes = {
      ...{ headers: {}, userMetadata: {}, tags: [] },
      storageClass: "STANDARD",
    } as const;
    await engine.put({ bucket, key: objectKey(key) }, { body, attributes, conditions: {} });
  };
  const set = async (settings: unknown, name = "data") =>
    await opened.call({ method: "PUT", path: SETTINGS, body: { bucketName: name, settings } });
  return { ...opened, put, set };
}

test("GetBucketInfo tells name, zone, settings and usage, whole numbers as texts", async (t) => {
  const { ok, put } = await withBuckets(t);
  await put("data", "a", "x".repeat(1_536));
  await put("data", "b", "");

  const { info } = await ok("GET", `${INFO}/data`);

  assert.deepEqual(info, {
    name: "data",
    creationTime: "2026-01-02T03:04:05.678Z",
    location: "US-EAST-04A",
    settings: { auditLoggingEnabled: false },
    usage: [
      { measurementType: "USAGE_BYTES", value: "1536", valueHumanReadable: "1.5 KiB" },
      { measurementType: "UPLOAD_BYTES", value: "0", valueHumanReadable: "0 B" },
      { measurementType: "VERSIONS", value: "2", valueHumanReadable: "2" },
      { measurementType: "DELETE_MARKERS", value: "0", valueHumanReadable: "0" },
      { measurementType: "UPLOADS", value: "0", valueHumanReadable: "0" },
    ],
  });
});

test("ListBucketInfo tells all buckets of the organization, in pages by offset or by token", async (t) => {
  const { ok, control } = await withBuckets(t, ["aaa", "bbb", "ccc"]);
  await control.organizations.create({ id: "other", name: "Other" });
  await control.catalog.create(newBucketName("theirs"), { id: "other", region: "x" });
  const names = ({ info }: { info: { name: string }[] }) => info.map(({ name }) => name);

  assert.deepEqual(names(await ok("GET", INFO)), ["aaa", "bbb", "ccc"]);
  assert.deepEqual(names(await ok("GET", `${INFO}?offset=1&limit=1`)), ["bbb"]);
  const first = await ok("GET", `${INFO}?limit=2`);
  assert.deepEqual(names(first), ["aaa", "bbb"]);
  const second = await ok("GET", `${INFO}?limit=2&pageToken=${first.nextPageToken}`);
  assert.deepEqual(names(second), ["ccc"]);
  assert.equal(second.nextPageToken, undefined);
  assert.deepEqual(names(await ok("GET", `${INFO}?orgId=other`)), ["theirs"]);
});

test("a limit of none or of more than 1,000, and an offset beside a token, are refused", async (t) => {
  const { call } = await withBuckets(t);

  for (const query of ["limit=0", "limit=1001", "offset=1&pageToken=YQ", "limit=x", "offset=-1"]) {
    assert.equal((await call({ path: `${INFO}?${query}` })).status, 400, query);
  }
});

test("a bucket of another organization, and one that can have no such name, are not found", async (t) => {
  const { call, control, set } = await withBuckets(t);
  await control.organizations.create({ id: "other", name: "Other" });

  for (const path of [
    `${INFO}/data?orgId=other`,
    `${INFO}/missing`,
    `${INFO}/NO`,
    `${INFO}/a%2Fb`,
  ]) {
    assert.equal((await call({ path })).status, 404, path);
  }
  assert.equal((await set({ auditLoggingEnabled: true }, "missing")).status, 404);
});

test("SetBucketSettings changes what is given, keeps the rest, and answers what is so now", async (t) => {
  const { set, ok, control } = await withBuckets(t);

  assert.deepEqual((await set({ auditLoggingEnabled: true })).json, {
    settings: { auditLoggingEnabled: true },
  });
  const capped = {
    auditLoggingEnabled: true,
    capacityCapBytes: "1099511627776",
    configuredCapacityCapBytes: "1099511627776",
  };
  assert.deepEqual((await set({ capacityCapBytes: "1099511627776" })).json, { settings: capped });
  assert.deepEqual((await set({})).json, { settings: capped });
  assert.deepEqual((await ok("GET", `${INFO}/data`)).info.settings, capped);
  const settings = await control.catalog.settings(await control.catalog.bucket(bucketName("data")));
  assert.equal(settings.control.capacityCapBytes, 2 ** 40);
  assert.equal(settings.control.auditLoggingEnabled, true);
});

test("a cap of 0 is one, a cap can be taken away, and what was read can be sent back", async (t) => {
  const { set } = await withBuckets(t);

  const { json } = await set({ capacityCapBytes: 0 });
  assert.equal(json.settings.capacityCapBytes, "0");
  assert.deepEqual((await set(json.settings)).json, json);
  assert.deepEqual((await set({ removeCapacityCap: true })).json, {
    settings: { auditLoggingEnabled: false },
  });
  assert.equal((await set({ removeCapacityCap: true, capacityCapBytes: 1 })).status, 400);
});

test("SetBucketSettings without settings, and with what is about archiving, is refused as CoreWeave does", async (t) => {
  const { set, ok } = await withBuckets(t);

  const missing = await set(undefined);
  assert.equal(missing.status, 400);
  assert.equal(missing.json.message, "bucket settings are required");
  const asked = [
    { archiveEnabled: true, archiveAfterLastAccessDays: 60 },
    { archiveEnabled: false },
    { archiveAfterLastAccessDays: 60, auditLoggingEnabled: true },
  ];
  for (const settings of asked) {
    const { status, json } = await set(settings);
    assert.equal(status, 403);
    assert.equal(json.code, 7);
    assert.equal(json.message, "organization is not entitled to feature(s): BucketArchive");
  }
  const { info } = await ok("GET", `${INFO}/data`);
  assert.deepEqual(info.settings, { auditLoggingEnabled: false }, "nothing of it was done");
});

test("settings that are changed at the same moment are all kept, or refused to be tried again", async (t) => {
  const { set, ok } = await withBuckets(t);

  const answers = await Promise.all([
    set({ auditLoggingEnabled: true }),
    set({ capacityCapBytes: 7 }),
  ]);

  const done = answers.filter(({ status }) => status === 200).length;
  const aborted = answers.filter(({ json }) => json.code === 10).length;
  assert.equal(done + aborted, 2);
  const { settings } = (await ok("GET", `${INFO}/data`)).info;
  const kept = Number(settings.auditLoggingEnabled) + Number(settings.capacityCapBytes === "7");
  assert.equal(kept, done);
});

test("a bucket made again after it was deleted has none of the old settings", async (t) => {
  const { set, ok, control, organizationId } = await withBuckets(t);
  await set({ capacityCapBytes: 7 });
  const { catalog, engineOf } = control;
  const bucket = await catalog.bucket(bucketName("data"));
  await catalog.delete(bucket, await engineOf(bucket).requireEmpty(bucket));

  await catalog.create(newBucketName("data"), { id: organizationId, region: "x" });

  const { info } = await ok("GET", `${INFO}/data`);
  assert.deepEqual(info.settings, { auditLoggingEnabled: false });
});

test("PreviewLifecycle tells what rules would remove, in pages, and needs what the S3 API needs for it", async (t) => {
  const { ok, call, put, control, clock, userToken, allow } = await withBuckets(t);
  const path = "/v1/lode/lifecycle-preview/data";
  const bucket = await control.catalog.bucket(bucketName("data"));
  const rule =
    "<Rule><ID>old</ID><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>";
  const document = `<LifecycleConfiguration>${rule}</LifecycleConfiguration>`;
  await control.catalog.setDocument(bucket, "lifecycle", document);
  for (let number = 0; number < 1_200; number += 1) await put("data", `key ${number}`, "");
  assert.deepEqual((await ok("GET", path)).due, []);
  clock.move(3 * 86_400_000);

  const first = await ok("GET", path);
  assert.equal(first.due.length, 1_000);
  assert.deepEqual(first.due[0], { action: "expired", key: "key 0", ruleId: "old" });
  const second = await ok("GET", `${path}?pageToken=${first.nextPageToken}`);
  assert.equal(second.due.length, 200);
  assert.equal(second.nextPageToken, undefined);

  const token = await userToken({ uid: "ada" });
  const asAda = async () => (await call({ path, token })).status;
  await allow("coreweave/ada", ["s3:GetLifecycleConfiguration"]);
  assert.equal(await asAda(), 403);
  await allow("coreweave/ada", ["s3:ListBucket"]);
  assert.equal(await asAda(), 200);
});

test("PreviewLifecycle refuses a token that it did not give", async (t) => {
  const { call } = await withBuckets(t);

  for (const place of ["", "{}", '{"step":"versions"}', '{"step":"current","after":1}', "["]) {
    const token = Buffer.from(place).toString("base64url");
    const path = `/v1/lode/lifecycle-preview/data?pageToken=${token}`;
    const { status, json } = await call({ path });
    assert.equal(status, 400, place);
    assert.match(json.message, /^pageToken: /);
  }
});

test("zones are named by the operator, and every user may know them", async (t) => {
  const { ok, call, userToken } = await openControl(t);
  const token = await userToken({ uid: "ada" });
  const path = "/v1/lode/zone";

  await ok("POST", path, { name: "US-WEST-01A" });
  assert.deepEqual(await ok("POST", path, { name: "US-EAST-04A" }), {
    name: "US-EAST-04A",
    creationTime: "2026-01-02T03:04:05.678Z",
  });
  const listed = await call({ path, token });
  const names = listed.json.zones.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ["US-EAST-04A", "US-WEST-01A"]);

  for (const [name, status] of [
    ["us-east-04a", 409],
    ["", 400],
    ["a b", 400],
    ["x".repeat(64), 400],
  ] as const) {
    assert.equal((await call({ method: "POST", path, body: { name } })).status, status, name);
  }
  assert.deepEqual(await ok("DELETE", `${path}/US-EAST-04A`), {});
  assert.equal((await call({ method: "DELETE", path: `${path}/US-EAST-04A` })).status, 404);
});
