import assert from "node:assert/strict";
import { test } from "node:test";
import {
  completeUpload,
  sendPart,
  startUpload,
  uploadWhole,
  withChecksum,
} from "#test/s3/multipart.ts";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { OTHER, startServer, type TestServer } from "#test/support/server.ts";

// Conditions and directives are in files of their own.

async function copy(
  s3: TestServer,
  source: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return await s3.put("/bucket/copy", "", { "x-amz-copy-source": source, ...headers });
}

test("CopyObject answers the copy's time, ETag and checksum in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");
  s3.clock.move(1_000);

  const reply = await copy(s3, "/bucket/key");

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["x-amz-copy-source-version-id"], undefined);
  assert.equal(
    reply.text,
    s3Document(
      "CopyObjectResult",
      "<LastModified>2026-01-02T03:04:06.678Z</LastModified><ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>",
    ),
  );
  assert.equal((await s3.get("/bucket/copy")).text, "123456789");
  assert.equal((await s3.get("/bucket/key")).text, "123456789");
});

for (const body of ["", "in the record", "long enough to be a blob of its own"]) {
  test(`CopyObject makes a copy of "${body}" that outlives its source`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", body);

    await copy(s3, "bucket/key");
    await s3.request({ method: "DELETE", path: "/bucket/key" });

    assert.equal((await s3.get("/bucket/copy")).text, body);
  });
}

test("CopyObject copies an object that was uploaded in parts", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["first part, ", "second part"]);

  await copy(s3, "bucket/key");
  await s3.request({ method: "DELETE", path: "/bucket/key" });

  assert.equal((await s3.get("/bucket/copy")).text, "first part, second part");
});

test("CopyObject copies from another bucket", async (t) => {
  const s3 = await startServer(t, { buckets: ["bucket", "other"] });
  await s3.put("/other/key", "bytes");

  assert.equal((await copy(s3, "other/key")).status, 200);
  assert.equal((await s3.get("/bucket/copy")).text, "bytes");
});

const latin1 = (text: string) => Buffer.from(text).toString("latin1");
const SOURCES: readonly (readonly [key: string, path: string, source: string])[] = [
  ["a b", "/bucket/a%20b", "bucket/a%20b"],
  ["a/b//c", "/bucket/a/b//c", "/bucket/a%2Fb//c"],
  ["a+b", "/bucket/a%2Bb", "bucket/a%2Bb"],
  ["é😀", "/bucket/%C3%A9%F0%9F%98%80", "bucket/%C3%A9%F0%9F%98%80"],
  ["é😀 raw", "/bucket/%C3%A9%F0%9F%98%80%20raw", latin1("bucket/é😀 raw")],
  ["100% raw", "/bucket/100%25%20raw", "bucket/100% raw"],
  ["a?versionId=1", "/bucket/a%3FversionId=1", "bucket/a%3FversionId=1"],
  ["a?b", "/bucket/a%3Fb", "bucket/a?b"],
  ["whole source encoded", "/bucket/x", "bucket%2Fx"],
];
for (const [key, path, source] of SOURCES) {
  test(`CopyObject finds the source "${key}" written as ${source}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put(path, "bytes");

    const reply = await copy(s3, source);

    assert.equal(reply.status, 200, reply.text);
    assert.equal((await s3.get("/bucket/copy")).text, "bytes");
  });
}

test("CopyObject of a version copies it and names it", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "1")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "2");

  const reply = await copy(s3, `bucket/key?versionId=${versionId}`);

  assert.equal(reply.headers["x-amz-copy-source-version-id"], versionId);
  assert.match(reply.headers["x-amz-version-id"] ?? "", /^[0-9a-f]{16}$/);
  assert.equal((await s3.get("/bucket/copy")).text, "1");
});

test("CopyObject of the null version names none", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "1");
  await s3.setVersioning("bucket", "Enabled");

  for (const source of ["bucket/key", "bucket/key?versionId=null"]) {
    const reply = await copy(s3, source);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["x-amz-copy-source-version-id"], undefined);
  }
});

test("CopyObject of an old version onto its own key makes it current again", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "1")).headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "2");

  await s3.put("/bucket/key", "", { "x-amz-copy-source": `bucket/key?versionId=${versionId}` });

  assert.equal((await s3.get("/bucket/key")).text, "1");
});

test("CopyObject with x-amz-checksum-algorithm gives the copy a checksum by it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const reply = await copy(s3, "bucket/key", { "x-amz-checksum-algorithm": "CRC32C" });

  assert.equal(only(reply.text, "ChecksumCRC32C"), "4waSgw==");
  const { headers } = await s3.get("/bucket/copy", { "x-amz-checksum-mode": "ENABLED" });
  assert.equal(headers["x-amz-checksum-crc32c"], "4waSgw==");
});

test("CopyObject with x-amz-checksum-algorithm makes a checksum of the whole of a COMPOSITE one", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, "/bucket/key", { "x-amz-checksum-algorithm": "CRC32C" });
  const headers = { "x-amz-checksum-crc32c": "4waSgw==" };
  const part = { uploadId, number: 1, body: "123456789", headers };
  const parts = [withChecksum(await sendPart(s3, "/bucket/key", part))];
  await completeUpload(s3, "/bucket/key", { uploadId, parts });

  const kept = await copy(s3, "bucket/key");
  const made = await copy(s3, "bucket/key", { "x-amz-checksum-algorithm": "CRC32C" });

  assert.equal(only(kept.text, "ChecksumType"), "COMPOSITE");
  assert.equal(only(made.text, "ChecksumCRC32C"), "4waSgw==");
  assert.equal(only(made.text, "ChecksumType"), "FULL_OBJECT");
});

test("CopyObject keeps the source's checksum", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789", { "x-amz-checksum-crc32": "y/Q5Jg==" });

  const reply = await copy(s3, "bucket/key");

  assert.equal(only(reply.text, "ChecksumCRC32"), "y/Q5Jg==");
});

const REFUSED = [
  { source: "bucket/missing", status: 404, code: "NoSuchKey" },
  { source: "missing/key", status: 404, code: "NoSuchBucket" },
  { source: "bucket/key?versionId=000000000000abcd", status: 404, code: "NoSuchVersion" },
  { source: "bucket/key?versionId=", status: 400, code: "InvalidArgument" },
  { source: "bucket/key?versionId=never", status: 400, code: "InvalidArgument" },
  { source: "", status: 400, code: "InvalidArgument" },
  { source: "/", status: 400, code: "InvalidArgument" },
  { source: "bucket", status: 400, code: "InvalidArgument" },
  { source: "/bucket/", status: 400, code: "InvalidArgument" },
  { source: "No_Bucket/key", status: 400, code: "InvalidArgument" },
  { source: `bucket/${"k".repeat(1_025)}`, status: 400, code: "KeyTooLongError" },
];
for (const { source, status, code } of REFUSED) {
  test(`CopyObject refuses the source "${source.slice(0, 40)}" with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await copy(s3, source), status, code);
    assertRefused(await s3.get("/bucket/copy"), 404, "NoSuchKey");
  });
}

test("CopyObject refuses a source that is a delete marker", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  await s3.put("/bucket/key", "bytes");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket/key" });
  const named = `bucket/key?versionId=${deleted.headers["x-amz-version-id"]}`;

  assertRefused(await copy(s3, "bucket/key"), 404, "NoSuchKey");
  assertRefused(await copy(s3, named), 400, "InvalidRequest");
});

test("CopyObject refuses a missing destination bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  const reply = await s3.put("/missing/copy", "", { "x-amz-copy-source": "bucket/key" });

  assertRefused(reply, 404, "NoSuchBucket");
  assert.equal(only(reply.text, "BucketName"), "missing");
});

test("CopyObject holds each bucket to the owner who is expected of it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const owner = only((await s3.get("/")).text, "ID") ?? "";
  const [own, source] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

  assert.equal((await copy(s3, "bucket/key", { [own]: owner, [source]: owner })).status, 200);
  assertRefused(await copy(s3, "bucket/key", { [own]: "1" }), 403, "AccessDenied");
  assertRefused(await copy(s3, "bucket/key", { [source]: "1" }), 403, "AccessDenied");
});

const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: "arn:aws:s3:::theirs/*" },
  ],
});

test("CopyObject to another owner's bucket holds only that one to x-amz-expected-bucket-owner", async (t) => {
  const s3 = await startServer(t);
  await s3.request({
    method: "PUT",
    path: "/theirs",
    as: OTHER,
  });
  await s3.request({ method: "PUT", path: "/theirs?policy", body: POLICY, as: OTHER });
  await s3.put("/bucket/key", "bytes");
  const headers = { "x-amz-copy-source": "bucket/key", "x-amz-expected-bucket-owner": "other" };

  assert.equal((await s3.put("/theirs/copy", "", headers)).status, 200);
});
