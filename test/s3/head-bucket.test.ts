import assert from "node:assert/strict";
import { test } from "node:test";
import { OTHER, startServer } from "#test/support/server.ts";

test("HeadBucket answers 200 with the region of the bucket and no body", async (t) => {
  const s3 = await startServer(t, { region: "eu-test-1" });

  const reply = await s3.request({ method: "HEAD", path: "/bucket" });

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["x-amz-bucket-region"], "eu-test-1");
  assert.equal(reply.headers["x-amz-bucket-arn"], "arn:aws:s3:::bucket");
  assert.equal(reply.headers["x-amz-access-point-alias"], "false");
  assert.equal(reply.bytes.length, 0);
});

test("HeadBucket takes the bucket with a slash behind it", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ method: "HEAD", path: "/bucket/" });

  assert.equal(reply.status, 200);
});

const REFUSED = [
  { why: "a missing bucket with 404", path: "/missing", status: 404 },
  { why: "an invalid bucket name with 400", path: "/Not_A_Bucket", status: 400 },
  { why: "an anonymous caller with 403", path: "/bucket", sign: false, status: 403 },
  { why: "a wrong secret with 403", path: "/bucket", secret: "wrong", status: 403 },
] as const;

for (const { why, status, ...ask } of REFUSED) {
  test(`HeadBucket refuses ${why} and no body`, async (t) => {
    const s3 = await startServer(t);
    const { path, sign, secret } = { sign: "hash" as const, secret: undefined, ...ask };
    const as = secret === undefined ? {} : { as: { ...OTHER, secret } };

    const reply = await s3.request({ method: "HEAD", path, sign, ...as });

    assert.equal(reply.status, status);
    assert.equal(reply.bytes.length, 0);
    assert.match(reply.headers["x-amz-request-id"] ?? "", /^[0-9A-F]{16}$/);
  });
}

test("HeadBucket refuses an x-amz-expected-bucket-owner that does not own the bucket", async (t) => {
  const s3 = await startServer(t);
  const headers = { "x-amz-expected-bucket-owner": "111122223333" };

  const reply = await s3.request({ method: "HEAD", path: "/bucket", headers });

  assert.equal(reply.status, 403);
});
