import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { START_MS, startServer } from "#test/support/server.ts";

const DELETE = { method: "DELETE", path: "/bucket/key" };

test("DeleteObject removes the object with 204", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.request(DELETE);

  assert.equal(reply.status, 204);
  assert.equal(reply.bytes.length, 0);
  assert.equal(reply.headers["x-amz-version-id"], undefined);
  assert.equal(reply.headers["x-amz-delete-marker"], undefined);
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("DeleteObject succeeds for a key that is not there", async (t) => {
  const s3 = await startServer(t);

  assert.equal((await s3.request(DELETE)).status, 204);
});

test("DeleteObject removes only the key that is named, byte for byte", async (t) => {
  const s3 = await startServer(t);
  const keys = ["a", "a/", "a%2F%2F", "A", "a%20", "a+"];
  for (const key of keys) await s3.put(`/bucket/${key}`, key);

  await s3.request({ method: "DELETE", path: "/bucket/a/" });

  const left = await Promise.all(keys.map((key) => s3.get(`/bucket/${key}`)));
  assert.deepEqual(
    left.map(({ status }) => status),
    [200, 404, 200, 200, 200, 200],
  );
});

test("DeleteObject refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.request({ ...DELETE, path: "/missing/key" }), 404, "NoSuchBucket");
});

test("DeleteObject with If-Match of the object removes it", async (t) => {
  const s3 = await startServer(t);
  const etag = (await s3.put("/bucket/key", "bytes")).headers["etag"] ?? "";

  assert.equal((await s3.request({ ...DELETE, headers: { "if-match": etag } })).status, 204);
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("DeleteObject with If-Match: * removes an object that is there", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  assert.equal((await s3.request({ ...DELETE, headers: { "if-match": "*" } })).status, 204);
});

test("DeleteObject with If-Match of another ETag refuses with PreconditionFailed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.request({ ...DELETE, headers: { "if-match": '"other"' } });

  assertRefused(reply, 412, "PreconditionFailed");
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

const WRITTEN = new Date(START_MS).toUTCString();
const SENT = [
  { name: "x-amz-if-match-last-modified-time", right: WRITTEN, wrong: new Date(0).toUTCString() },
  { name: "x-amz-if-match-size", right: "5", wrong: "6" },
];
for (const { name, right, wrong } of SENT) {
  test(`DeleteObject with ${name} removes the object it speaks of and no other`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const refused = await s3.request({ ...DELETE, headers: { [name]: wrong } });
    const kept = await s3.get("/bucket/key");
    const removed = await s3.request({ ...DELETE, headers: { [name]: right } });
    const again = await s3.request({ ...DELETE, headers: { [name]: wrong } });

    assertRefused(refused, 412, "PreconditionFailed");
    assert.equal(kept.text, "bytes");
    assert.equal(removed.status, 204);
    assert.equal((await s3.get("/bucket/key")).status, 404);
    assert.equal(again.status, 204, "what is not there is deleted");
  });

  test(`DeleteObject with ${name} that cannot be read removes nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const refused = await s3.request({ ...DELETE, headers: { [name]: "soon" } });

    assertRefused(refused, 400, "InvalidArgument");
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });
}

for (const etag of ['"other"', "*"]) {
  test(`DeleteObject with If-Match: ${etag} refuses a missing key with NoSuchKey`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.request({ ...DELETE, headers: { "if-match": etag } });

    assertRefused(reply, 404, "NoSuchKey");
  });
}

test("a delete marker is no object for the conditions of DeleteObject: If-Match fails, times and sizes hold", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const etag = (await s3.put("/bucket/key", "bytes")).headers["etag"] ?? "";
  const marker = (await s3.request(DELETE)).headers["x-amz-version-id"];

  for (const asked of [etag, "*"]) {
    const reply = await s3.request({ ...DELETE, headers: { "if-match": asked } });
    assertRefused(reply, 404, "NoSuchKey");
  }
  for (const { name, wrong } of SENT) {
    const reply = await s3.request({ ...DELETE, headers: { [name]: wrong } });
    assert.equal(reply.status, 204);
    assert.equal(reply.headers["x-amz-delete-marker"], "true");
    assert.notEqual(reply.headers["x-amz-version-id"], marker);
  }
});

test("DeleteObject where versions are kept lays a delete marker and tells its version", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const put = await s3.put("/bucket/key", "bytes");

  const reply = await s3.request(DELETE);

  assert.equal(reply.headers["x-amz-delete-marker"], "true");
  assert.notEqual(reply.headers["x-amz-version-id"], put.headers["x-amz-version-id"]);
  const query = { versionId: put.headers["x-amz-version-id"] ?? "" };
  assert.equal((await s3.request({ path: "/bucket/key", query })).text, "bytes");
});

test("DeleteObject of a delete marker's version brings the object back", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "bytes");
  const versionId = (await s3.request(DELETE)).headers["x-amz-version-id"] ?? "";

  const reply = await s3.request({ ...DELETE, query: { versionId } });

  assert.equal(reply.status, 204);
  assert.equal(reply.headers["x-amz-delete-marker"], "true");
  assert.equal(reply.headers["x-amz-version-id"], versionId);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("DeleteObject of a version removes it for good and shows the one before", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "1");
  const versionId = (await s3.put("/bucket/key", "2")).headers["x-amz-version-id"] ?? "";

  const reply = await s3.request({ ...DELETE, query: { versionId } });

  assert.equal(reply.headers["x-amz-version-id"], versionId);
  assert.equal(reply.headers["x-amz-delete-marker"], undefined);
  assert.equal((await s3.get("/bucket/key")).text, "1");
  const gone = await s3.request({ path: "/bucket/key", query: { versionId } });
  assertRefused(gone, 404, "NoSuchVersion");
});

test("DeleteObject where versions are suspended replaces the null version by a marker", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "null version");
  await s3.setVersioning("bucket", "Suspended");

  const reply = await s3.request(DELETE);

  assert.equal(reply.headers["x-amz-delete-marker"], "true");
  assert.equal(reply.headers["x-amz-version-id"], "null");
  assertRefused(await s3.get("/bucket/key?versionId=null"), 405, "MethodNotAllowed");
});

test("DeleteObject of the version null removes the object of a bucket without versions", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  assert.equal((await s3.request({ ...DELETE, query: "versionId=null" })).status, 204);
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("DeleteObject succeeds for a version that is not there and keeps the object", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.request({ ...DELETE, query: "versionId=000000000000abcd" });

  assert.equal(reply.status, 204);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

const REFUSED = [
  { query: "versionId=", code: "InvalidArgument" },
  { query: "versionId=never", code: "InvalidArgument" },
  { query: "foo", status: 501, code: "NotImplemented" },
  { query: "acl", status: 501, code: "NotImplemented" },
  { query: "retention=", status: 501, code: "NotImplemented" },
  { query: "torrent=1", status: 501, code: "NotImplemented" },
  { query: "versionId=null", headers: { "if-match": '"a"' }, status: 501, code: "NotImplemented" },
  ...SENT.map(({ name, right }) => ({
    ...{ query: "versionId=null", headers: { [name]: right } },
    ...{ status: 501, code: "NotImplemented" },
  })),
  { headers: { "x-amz-expected-bucket-owner": "1" }, status: 403, code: "AccessDenied" },
];
for (const { query = "", headers = {}, status = 400, code } of REFUSED) {
  const shown = [query, ...Object.keys(headers)].join(" ");
  test(`DeleteObject refuses ${shown} with ${code} and removes nothing`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.request({ ...DELETE, query, headers }), status, code);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  });
}
