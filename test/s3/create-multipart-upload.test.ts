import assert from "node:assert/strict";
import { test } from "node:test";
import { completeUpload, sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only, s3Document } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const CREATE = { method: "POST", path: "/bucket/key", query: "uploads" };

test("CreateMultipartUpload answers bucket, key and a new id in this document", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({ ...CREATE, path: "/bucket/a%26%20b" });

  const uploadId = only(reply.text, "UploadId") ?? "";
  assert.equal(reply.status, 200);
  assert.match(uploadId, /^[0-9a-f]{32}$/);
  assert.equal(
    reply.text,
    s3Document(
      "InitiateMultipartUploadResult",
      `<Bucket>bucket</Bucket><Key>a&amp; b</Key><UploadId>${uploadId}</UploadId>`,
    ),
  );
});

test("CreateMultipartUpload takes uploads= as well, and gives every upload its own id", async (t) => {
  const s3 = await startServer(t);

  const ids = [
    await startUpload(s3, "/bucket/key"),
    await startUpload(s3, "/bucket/key"),
    only((await s3.request({ ...CREATE, query: "uploads=" })).text, "UploadId"),
  ];

  assert.equal(new Set(ids).size, 3);
});

test("CreateMultipartUpload shows nothing under the key until the upload is completed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "before");

  const uploadId = await startUpload(s3, "/bucket/key");
  await sendPart(s3, "/bucket/key", { uploadId, number: 1, body: "after" });

  assert.equal((await s3.get("/bucket/key")).text, "before");
});

test("CreateMultipartUpload keeps metadata, tags and class for the object to come", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, "/bucket/key", {
    "content-type": "text/plain",
    "cache-control": "no-cache",
    "x-amz-meta-a": "1",
    "x-amz-tagging": "t=1",
    "x-amz-storage-class": "STANDARD_IA",
  });
  const part = await sendPart(s3, "/bucket/key", { uploadId, number: 1, body: "bytes" });
  await completeUpload(s3, "/bucket/key", { uploadId, parts: [part] });

  const { headers } = await s3.get("/bucket/key");

  assert.equal(headers["content-type"], "text/plain");
  assert.equal(headers["cache-control"], "no-cache");
  assert.equal(headers["x-amz-meta-a"], "1");
  assert.equal(headers["x-amz-tagging-count"], "1");
  assert.equal(headers["x-amz-storage-class"], "STANDARD_IA");
});

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
const TYPES: readonly (readonly [algorithm: string, asked: string | undefined, type: string])[] = [
  ["CRC64NVME", undefined, "FULL_OBJECT"],
  ["CRC64NVME", "FULL_OBJECT", "FULL_OBJECT"],
  ["CRC32", undefined, "COMPOSITE"],
  ["CRC32", "COMPOSITE", "COMPOSITE"],
  ["CRC32", "FULL_OBJECT", "FULL_OBJECT"],
  ["CRC32C", undefined, "COMPOSITE"],
  ["CRC32C", "FULL_OBJECT", "FULL_OBJECT"],
  ["SHA1", undefined, "COMPOSITE"],
  ["SHA256", "COMPOSITE", "COMPOSITE"],
];
for (const [algorithm, asked, type] of TYPES) {
  test(`CreateMultipartUpload with ${algorithm} and ${asked ?? "no type"} makes it ${type}`, async (t) => {
    const s3 = await startServer(t);
    const headers = {
      "x-amz-checksum-algorithm": algorithm,
      ...(asked === undefined ? {} : { "x-amz-checksum-type": asked }),
    };

    const reply = await s3.request({ ...CREATE, headers });

    assert.equal(reply.headers["x-amz-checksum-algorithm"], algorithm);
    assert.equal(reply.headers["x-amz-checksum-type"], type);
  });
}

const SUM = "x-amz-checksum-algorithm";
const TYPE = "x-amz-checksum-type";
const REFUSED: readonly { headers: Record<string, string>; status?: number; code: string }[] = [
  { headers: { [SUM]: "CRC64NVME", [TYPE]: "COMPOSITE" }, code: "InvalidRequest" },
  { headers: { [SUM]: "SHA1", [TYPE]: "FULL_OBJECT" }, code: "InvalidRequest" },
  { headers: { [SUM]: "SHA256", [TYPE]: "FULL_OBJECT" }, code: "InvalidRequest" },
  { headers: { [SUM]: "MD4" }, code: "InvalidRequest" },
  { headers: { [SUM]: "CRC32", [TYPE]: "PARTIAL" }, code: "InvalidRequest" },
  { headers: { [TYPE]: "COMPOSITE" }, code: "InvalidRequest" },
  { headers: { "x-amz-storage-class": "COLD" }, code: "InvalidStorageClass" },
  { headers: { "x-amz-meta-a": "v".repeat(2_048) }, code: "MetadataTooLarge" },
  { headers: { "x-amz-tagging": "a=1&a=2" }, code: "InvalidArgument" },
  { headers: { "x-amz-acl": "public-read" }, code: "AccessControlListNotSupported" },
  { headers: { "x-amz-server-side-encryption": "aws:kms" }, status: 501, code: "NotImplemented" },
  { headers: { "x-amz-object-lock-legal-hold": "ON" }, status: 501, code: "NotImplemented" },
  { headers: { "x-amz-expected-bucket-owner": "1" }, status: 403, code: "AccessDenied" },
];
for (const { headers, status = 400, code } of REFUSED) {
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value.slice(0, 12)}`);
  test(`CreateMultipartUpload refuses ${shown.join(" and ")} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.request({ ...CREATE, headers }), status, code);
    assert.equal(only((await s3.get("/bucket?uploads")).text, "UploadId"), undefined);
  });
}

test("CreateMultipartUpload refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.request({ ...CREATE, path: "/missing/key" }), 404, "NoSuchBucket");
});

test("CreateMultipartUpload refuses a key of 1,025 bytes with KeyTooLongError", async (t) => {
  const s3 = await startServer(t);
  const path = `/bucket/${"k".repeat(1_025)}`;

  assertRefused(await s3.request({ ...CREATE, path }), 400, "KeyTooLongError");
});
