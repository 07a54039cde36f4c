import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const DELETE = { method: "DELETE", path: "/bucket/key?tagging" };

test("DeleteObjectTagging removes the tags with 204 and keeps the object", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "a=1" });

  const reply = await s3.request(DELETE);

  assert.equal(reply.status, 204);
  assert.equal(reply.bytes.length, 0);
  assert.deepEqual(texts((await s3.get("/bucket/key?tagging")).text, "Key"), []);
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("DeleteObjectTagging takes tagging with a value, and never deletes the object instead", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "a=1" });

  for (const query of ["tagging=", "tagging=true"]) {
    assert.equal((await s3.request({ method: "DELETE", path: "/bucket/key", query })).status, 204);
    assert.equal((await s3.get("/bucket/key")).text, "bytes");
  }
});

test("DeleteObjectTagging removes the tags of the version that is named", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const put = await s3.put("/bucket/key", "1", { "x-amz-tagging": "old=1" });
  await s3.put("/bucket/key", "2", { "x-amz-tagging": "new=1" });
  const versionId = put.headers["x-amz-version-id"] ?? "";

  const reply = await s3.request({ ...DELETE, query: { versionId } });

  assert.equal(reply.headers["x-amz-version-id"], versionId);
  assert.deepEqual(texts((await s3.get("/bucket/key?tagging")).text, "Key"), ["new"]);
  const old = await s3.get(`/bucket/key?tagging&versionId=${versionId}`);
  assert.deepEqual(texts(old.text, "Key"), []);
});

const REFUSED = [
  { path: "/bucket/missing?tagging", status: 404, code: "NoSuchKey" },
  { path: "/missing/key?tagging", status: 404, code: "NoSuchBucket" },
  { path: "/bucket/key?tagging&versionId=000000000000abcd", status: 404, code: "NoSuchVersion" },
];
for (const { path, status, code } of REFUSED) {
  test(`DeleteObjectTagging refuses ${path} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.request({ ...DELETE, path }), status, code);
  });
}
