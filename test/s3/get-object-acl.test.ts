import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("GetObjectAcl answers what GetBucketAcl does: the owner has full control", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.get("/bucket/key?acl");

  assert.equal(reply.status, 200);
  assert.equal(reply.text, (await s3.get("/bucket?acl")).text);
});

const REFUSED = [
  { path: "/bucket/missing?acl", status: 404, code: "NoSuchKey" },
  { path: "/missing/key?acl", status: 404, code: "NoSuchBucket" },
  { path: "/bucket/key?acl&versionId=000000000000abcd", status: 404, code: "NoSuchVersion" },
];
for (const { path, status, code } of REFUSED) {
  test(`GetObjectAcl refuses ${path} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.get(path), status, code);
  });
}
