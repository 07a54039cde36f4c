import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { completeUpload, startUpload, uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

const PATH = "/bucket/copy";
/** One that lives in its record, one that is a blob. */
const SOURCES = ["0123456789", "0123456789 and more than fits into the record"];
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

async function copyPart(s3: TestServer, uploadId: string, headers: Headers = {}): Promise<Reply> {
  const source = { "x-amz-copy-source": "bucket/key" };
  const query = { partNumber: "1", uploadId };
  return await s3.request({ method: "PUT", path: PATH, query, headers: { ...source, ...headers } });
}

async function complete(s3: TestServer, uploadId: string, reply: Reply): Promise<string> {
  const parts = [{ number: 1, etag: only(reply.text, "ETag") ?? "" }];
  const completed = await completeUpload(s3, PATH, { uploadId, parts });
  assert.equal(completed.status, 200, completed.text);
  return (await s3.get(PATH)).text;
}

for (const body of SOURCES) {
  test(`UploadPartCopy copies the whole of ${body.length} bytes and answers this document`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", body);
    const uploadId = await startUpload(s3, PATH);
    s3.clock.move(1_000);

    const reply = await copyPart(s3, uploadId);

    assert.equal(reply.status, 200);
    assert.equal(
      reply.text,
      s3Document(
        "CopyPartResult",
        `<LastModified>2026-01-02T03:04:06.678Z</LastModified><ETag>&quot;${md5(body)}&quot;</ETag>`,
      ),
    );
    await s3.request({ method: "DELETE", path: "/bucket/key" });
    assert.equal(await complete(s3, uploadId, reply), body);
  });

  for (const [first, last] of [
    [0, 0],
    [0, 9],
    [3, 6],
    [9, 9],
  ] as const) {
    test(`UploadPartCopy copies bytes ${first} to ${last} of ${body.length}`, async (t) => {
      const s3 = await startServer(t);
      await s3.put("/bucket/key", body);
      const uploadId = await startUpload(s3, PATH);

      const reply = await copyPart(s3, uploadId, {
        "x-amz-copy-source-range": `bytes=${first}-${last}`,
      });

      assert.equal(await complete(s3, uploadId, reply), body.slice(first, last + 1));
    });
  }

  for (const algorithm of ["CRC32", "CRC64NVME", "SHA256"]) {
    test(`UploadPartCopy of a range of ${body.length} bytes gives it the upload's ${algorithm}`, async (t) => {
      const s3 = await startServer(t);
      await s3.put("/bucket/key", `0${body.slice(1)}`.replace("0123456789", "123456789!"));
      const uploadId = await startUpload(s3, PATH, { "x-amz-checksum-algorithm": algorithm });

      const reply = await copyPart(s3, uploadId, { "x-amz-copy-source-range": "bytes=0-8" });

      const values: Readonly<Record<string, string>> = {
        CRC32: "y/Q5Jg==",
        CRC64NVME: "rosUhgp5mIg=",
        SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
      };
      assert.equal(only(reply.text, `Checksum${algorithm}`), values[algorithm]);
      assert.equal(only(reply.text, "ETag"), `"${md5("123456789")}"`);
    });
  }
}

test("UploadPartCopy copies across the parts of its source", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["01234", "56789", "abcde"]);
  const uploadId = await startUpload(s3, PATH);

  const reply = await copyPart(s3, uploadId, { "x-amz-copy-source-range": "bytes=3-11" });

  assert.equal(await complete(s3, uploadId, reply), "3456789ab");
});

test("UploadPartCopy of a version names it", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "old")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "new");
  const uploadId = await startUpload(s3, PATH);

  const reply = await copyPart(s3, uploadId, {
    "x-amz-copy-source": `bucket/key?versionId=${versionId}`,
  });

  assert.equal(reply.headers["x-amz-copy-source-version-id"], versionId);
  assert.equal(await complete(s3, uploadId, reply), "old");
});

const RANGES = [
  "0-2",
  "bytes=0",
  "bytes=-5",
  "bytes=5-",
  "bytes=2-1",
  "bytes=a-b",
  "bytes=0-2,3-5",
  "bytes=0-10",
  "bytes=9-12",
];
for (const range of RANGES) {
  test(`UploadPartCopy refuses ${range} of 10 bytes with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "0123456789");
    const uploadId = await startUpload(s3, PATH);

    const reply = await copyPart(s3, uploadId, { "x-amz-copy-source-range": range });

    assertRefused(reply, 400, "InvalidArgument");
    assert.equal(only(reply.text, "ArgumentName"), "x-amz-copy-source-range");
  });
}

const SAME = `"${md5("0123456789")}"`;
const CONDITIONS = [
  { headers: { "x-amz-copy-source-if-match": SAME }, status: 200 },
  { headers: { "x-amz-copy-source-if-match": '"other"' }, status: 412 },
  { headers: { "x-amz-copy-source-if-none-match": SAME }, status: 412 },
  { headers: { "x-amz-copy-source-if-none-match": '"other"' }, status: 200 },
  {
    headers: { "x-amz-copy-source-if-modified-since": "Fri, 02 Jan 2026 03:04:06 GMT" },
    status: 412,
  },
  {
    headers: { "x-amz-copy-source-if-unmodified-since": "Fri, 02 Jan 2026 03:04:04 GMT" },
    status: 412,
  },
];
for (const { headers, status } of CONDITIONS) {
  const [shown] = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  test(`UploadPartCopy with ${shown} answers ${status}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "0123456789");
    const uploadId = await startUpload(s3, PATH);
    s3.clock.move(1_000);

    const reply = await copyPart(s3, uploadId, { ...headers });

    assert.equal(reply.status, status);
    assert.equal(reply.code, status === 200 ? undefined : "PreconditionFailed");
  });
}

const REFUSED = [
  {
    why: "a missing source key",
    headers: { "x-amz-copy-source": "bucket/missing" },
    status: 404,
    code: "NoSuchKey",
  },
  {
    why: "a missing source bucket",
    headers: { "x-amz-copy-source": "missing/key" },
    status: 404,
    code: "NoSuchBucket",
  },
  {
    why: "a malformed source",
    headers: { "x-amz-copy-source": "key" },
    status: 400,
    code: "InvalidArgument",
  },
  { why: "a missing upload", uploadId: "0".repeat(32), status: 404, code: "NoSuchUpload" },
  {
    why: "an owner of the source who is not expected",
    headers: { "x-amz-source-expected-bucket-owner": "1" },
    status: 403,
    code: "AccessDenied",
  },
  {
    why: "an owner who is not expected",
    headers: { "x-amz-expected-bucket-owner": "1" },
    status: 403,
    code: "AccessDenied",
  },
];
for (const { why, headers = {}, uploadId, status, code } of REFUSED) {
  test(`UploadPartCopy refuses ${why} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "0123456789");
    const own = await startUpload(s3, PATH);

    assertRefused(await copyPart(s3, uploadId ?? own, headers as Headers), status, code);
  });
}

test("UploadPartCopy refuses a range of which nothing is there with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "0123456789");
  const uploadId = await startUpload(s3, PATH);

  const reply = await copyPart(s3, uploadId, { "x-amz-copy-source-range": "bytes=10-12" });

  assertRefused(reply, 400, "InvalidRequest");
});

test("UploadPartCopy refuses a delete marker that is named by its version with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const versionId = deleted.headers["x-amz-version-id"];
  const uploadId = await startUpload(s3, PATH);

  const source = { "x-amz-copy-source": `bucket/key?versionId=${versionId}` };

  assertRefused(await copyPart(s3, uploadId, source), 400, "InvalidRequest");
});

test("UploadPartCopy refuses part number 0 with InvalidArgument", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const headers = { "x-amz-copy-source": "bucket/key" };

  const reply = await s3.request({
    method: "PUT",
    path: PATH,
    query: { partNumber: "0", uploadId },
    headers,
  });

  assertRefused(reply, 400, "InvalidArgument");
});
