import assert from "node:assert/strict";
import { test } from "node:test";
import { startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("DeleteBucket removes an empty bucket with 204", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ method: "DELETE", path: "/bucket" });

  assert.equal(reply.status, 204);
  assert.equal(reply.bytes.length, 0);
  assertRefused(await s3.get("/bucket"), 404, "NoSuchBucket");
});

test("DeleteBucket leaves nothing behind for the next bucket of that name", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  await s3.request({ method: "DELETE", path: "/bucket/key" });
  await s3.request({ method: "DELETE", path: "/bucket" });

  await s3.put("/bucket", "");

  assert.equal((await s3.put("/bucket/other", "bytes")).status, 200);
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("DeleteBucket refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ method: "DELETE", path: "/missing" });

  assertRefused(reply, 404, "NoSuchBucket");
  assert.equal(only(reply.text, "BucketName"), "missing");
});

test("DeleteBucket refuses a bucket with an object with BucketNotEmpty", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.request({ method: "DELETE", path: "/bucket" });

  assertRefused(reply, 409, "BucketNotEmpty");
  assert.equal((await s3.get("/bucket/key")).text, "bytes");
});

test("DeleteBucket refuses a bucket with a delete marker alone with BucketNotEmpty", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.request({ method: "DELETE", path: "/bucket/key" });

  const reply = await s3.request({ method: "DELETE", path: "/bucket" });

  assertRefused(reply, 409, "BucketNotEmpty");
});

test("DeleteBucket refuses a bucket with an old version alone with BucketNotEmpty", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "bytes");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const versionId = marker.headers["x-amz-version-id"] ?? "";
  await s3.request({ method: "DELETE", path: "/bucket/key", query: { versionId } });

  const reply = await s3.request({ method: "DELETE", path: "/bucket" });

  assertRefused(reply, 409, "BucketNotEmpty");
});

test("DeleteBucket refuses a bucket with an unfinished upload with BucketNotEmpty", async (t) => {
  const s3 = await startServer(t);
  await startUpload(s3, "/bucket/key");

  const reply = await s3.request({ method: "DELETE", path: "/bucket" });

  assertRefused(reply, 409, "BucketNotEmpty");
});

for (const query of [
  "policy",
  "lifecycle=",
  "tagging",
  "tagging=true",
  "cors=x",
  "foo",
  "uploads",
]) {
  test(`DeleteBucket is not what DELETE ?${query} means`, async (t) => {
    const s3 = await startServer(t);

    await s3.request({ method: "DELETE", path: "/bucket", query });

    assert.equal((await s3.get("/bucket")).status, 200);
  });
}
