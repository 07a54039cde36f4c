import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadWhole } from "#test/s3/multipart.ts";
import { startServer } from "#test/support/server.ts";

const HEAD = { method: "HEAD", path: "/bucket/key" };

test("HeadObject answers the headers of GetObject and no body", async (t) => {
  const s3 = await startServer(t);
  const said = { "content-type": "text/plain", "x-amz-meta-a": "1", "x-amz-tagging": "a=1" };
  await s3.put("/bucket/key", "123456789", said);
  const own = ["x-amz-request-id", "x-amz-id-2", "date"];
  const named = (headers: object) =>
    Object.entries(headers).filter(([name]) => !own.includes(name));

  const [got, head] = [await s3.get("/bucket/key"), await s3.request(HEAD)];

  assert.equal(head.status, 200);
  assert.equal(head.bytes.length, 0);
  assert.equal(head.headers["content-length"], "9");
  assert.deepEqual(named(head.headers), named(got.headers));
});

test("HeadObject answers the checksum when x-amz-checksum-mode is ENABLED", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const headers = { "x-amz-checksum-mode": "ENABLED" };
  const reply = await s3.request({ ...HEAD, headers });

  assert.equal(reply.headers["x-amz-checksum-crc64nvme"], "rosUhgp5mIg=");
  assert.equal(reply.headers["x-amz-checksum-type"], "FULL_OBJECT");
});

test("HeadObject of a range answers 206 and its length", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const { status, headers } = await s3.request({ ...HEAD, headers: { range: "bytes=2-4" } });

  assert.equal(status, 206);
  assert.equal(headers["content-length"], "3");
  assert.equal(headers["content-range"], "bytes 2-4/9");
});

test("HeadObject with partNumber answers the part's size and how many there are", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["first", "second"]);

  const { status, headers } = await s3.request({ ...HEAD, query: { partNumber: "2" } });

  assert.equal(status, 206);
  assert.equal(headers["content-length"], "6");
  assert.equal(headers["x-amz-mp-parts-count"], "2");
});

test("HeadObject answers the headers that response-* asks for", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const reply = await s3.request({ ...HEAD, query: { "response-content-type": "a/b" } });

  assert.equal(reply.headers["content-type"], "a/b");
});

const REFUSED = [
  { why: "a missing key", ask: { path: "/bucket/missing" }, status: 404 },
  { why: "a missing bucket", ask: { path: "/missing/key" }, status: 404 },
  { why: "a range beyond the end", ask: { headers: { range: "bytes=9-" } }, status: 416 },
  { why: "a part that is not there", ask: { query: "partNumber=2" }, status: 416 },
  { why: "part number 0", ask: { query: "partNumber=0" }, status: 400 },
  { why: "a version that is not there", ask: { query: "versionId=000000000000abcd" }, status: 404 },
  { why: "an anonymous caller", ask: { sign: false }, status: 403 },
  {
    why: "an unexpected owner",
    ask: { headers: { "x-amz-expected-bucket-owner": "1" } },
    status: 403,
  },
] as const;
for (const { why, ask, status } of REFUSED) {
  test(`HeadObject refuses ${why} with ${status} and no body`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");

    const reply = await s3.request({ ...HEAD, ...ask });

    assert.equal(reply.status, status);
    assert.equal(reply.bytes.length, 0);
  });
}

test("HeadObject tells of a delete marker: 404 without its version, 405 with it", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const marker = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const versionId = marker.headers["x-amz-version-id"] ?? "";

  const [missing, named] = [
    await s3.request(HEAD),
    await s3.request({ ...HEAD, query: { versionId } }),
  ];

  assert.deepEqual([missing.status, named.status], [404, 405]);
  assert.equal(missing.headers["x-amz-delete-marker"], "true");
});
