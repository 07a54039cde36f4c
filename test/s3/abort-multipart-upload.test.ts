import assert from "node:assert/strict";
import { test } from "node:test";
import { completeUpload, sendPart, startUpload, uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket/key";

test("AbortMultipartUpload ends the upload with 204: no more parts, nothing to complete", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "bytes" })];

  const reply = await s3.request({ method: "DELETE", path: PATH, query: { uploadId } });

  assert.equal(reply.status, 204);
  const query = { partNumber: "2", uploadId };
  const late = await s3.request({ method: "PUT", path: PATH, query, body: "late" });
  assertRefused(late, 404, "NoSuchUpload");
  assertRefused(await completeUpload(s3, PATH, { uploadId, parts }), 404, "NoSuchUpload");
  assertRefused(await s3.get(`${PATH}?uploadId=${uploadId}`), 404, "NoSuchUpload");
  assert.deepEqual(texts((await s3.get("/bucket?uploads")).text, "UploadId"), []);
});

test("AbortMultipartUpload leaves the object and other uploads of the key alone", async (t) => {
  const s3 = await startServer(t);
  await s3.put(PATH, "before");
  const [uploadId, other] = [await startUpload(s3, PATH), await startUpload(s3, PATH)];

  await s3.request({ method: "DELETE", path: PATH, query: { uploadId } });

  assert.equal((await s3.get(PATH)).text, "before");
  assert.deepEqual(texts((await s3.get("/bucket?uploads")).text, "UploadId"), [other]);
});

test("AbortMultipartUpload makes room for the bucket to be deleted", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  await sendPart(s3, PATH, { uploadId, number: 1, body: "bytes" });

  await s3.request({ method: "DELETE", path: PATH, query: { uploadId } });

  assert.equal((await s3.request({ method: "DELETE", path: "/bucket" })).status, 204);
});

test("AbortMultipartUpload on a condition is NotImplemented and keeps the upload", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const headers = { "x-amz-if-match-initiated-time": "Fri, 02 Jan 2026 03:04:05 GMT" };

  const reply = await s3.request({ method: "DELETE", path: PATH, query: { uploadId }, headers });

  assertRefused(reply, 501, "NotImplemented");
  assert.deepEqual(texts((await s3.get("/bucket?uploads")).text, "UploadId"), [uploadId]);
});

test("AbortMultipartUpload refuses an upload that was aborted or completed with NoSuchUpload", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const abort = { method: "DELETE", path: PATH, query: { uploadId } };

  assert.equal((await s3.request(abort)).status, 204);
  assertRefused(await s3.request(abort), 404, "NoSuchUpload");
  await uploadWhole(s3, PATH, ["bytes"]);
  assert.equal((await s3.get(PATH)).text, "bytes");
});

const REFUSED = [
  { why: "an id that never was", uploadId: "never", status: 404, code: "NoSuchUpload" },
  { why: "an empty id", uploadId: "", status: 404, code: "NoSuchUpload" },
  { why: "another key", path: "/bucket/other", status: 404, code: "NoSuchUpload" },
  { why: "a missing bucket", path: "/missing/key", status: 404, code: "NoSuchBucket" },
  { why: "an anonymous caller", sign: false as const, status: 403, code: "AccessDenied" },
];
for (const { why, status, code, path = PATH, sign = "hash" as const, uploadId } of REFUSED) {
  test(`AbortMultipartUpload refuses ${why} with ${code} and aborts nothing`, async (t) => {
    const s3 = await startServer(t);
    const own = await startUpload(s3, PATH);
    await s3.put(PATH, "before");

    const query = `uploadId=${uploadId ?? own}`;
    const reply = await s3.request({ method: "DELETE", path, sign, query });

    assertRefused(reply, status, code);
    assert.deepEqual(texts((await s3.get("/bucket?uploads")).text, "UploadId"), [own]);
    assert.equal((await s3.get(PATH)).text, "before");
  });
}
