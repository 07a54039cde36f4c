import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("GetBucketLocation answers an empty element for us-east-1", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.get("/bucket?location");

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["content-type"], "application/xml");
  assert.equal(reply.text, s3Document("LocationConstraint", ""));
});

test("GetBucketLocation answers the region that the bucket was made in", async (t) => {
  const s3 = await startServer(t);
  const body =
    "<CreateBucketConfiguration><LocationConstraint>US-EAST-04A</LocationConstraint></CreateBucketConfiguration>";
  await s3.put("/elsewhere", body);

  const reply = await s3.get("/elsewhere?location=");

  assert.equal(reply.text, s3Document("LocationConstraint", "US-EAST-04A"));
});

test("GetBucketLocation refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/missing?location"), 404, "NoSuchBucket");
});

test("GetBucketLocation refuses an owner who is not expected with AccessDenied", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.get("/bucket?location", { "x-amz-expected-bucket-owner": "111122223333" });

  assertRefused(reply, 403, "AccessDenied");
});
