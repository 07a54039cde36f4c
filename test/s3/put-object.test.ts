import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

test("PutObject stores the bytes and answers their MD5 as ETag and their CRC64NVME", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket/key", "123456789");

  assert.equal(reply.status, 200);
  assert.equal(reply.bytes.length, 0);
  assert.equal(reply.headers["etag"], '"25f9e794323b453885f5181f1b624d0b"');
  assert.equal(reply.headers["x-amz-checksum-crc64nvme"], "rosUhgp5mIg=");
  assert.equal(reply.headers["x-amz-checksum-type"], "FULL_OBJECT");
  assert.equal(reply.headers["x-amz-version-id"], undefined);
  assert.equal((await s3.get("/bucket/key")).text, "123456789");
});

test("PutObject stores an empty object", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.put("/bucket/key", "");

  assert.equal(reply.headers["etag"], '"d41d8cd98f00b204e9800998ecf8427e"');
  const got = await s3.get("/bucket/key");
  assert.equal(got.status, 200);
  assert.equal(got.headers["content-length"], "0");
});

for (const sizeBytes of [16, 17, 100_000, 300_000]) {
  test(`PutObject gives back ${sizeBytes} bytes as they were`, async (t) => {
    const s3 = await startServer(t);
    const body = Buffer.from(
      Array.from({ length: sizeBytes }, (_, at) => (at * 7 + (at >> 8)) & 255),
    );

    await s3.put("/bucket/key", body);

    assert.ok(body.equals((await s3.get("/bucket/key")).bytes));
  });
}

test("PutObject replaces the object and everything that was said of it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "first", { "x-amz-meta-a": "1", "content-type": "text/plain" });

  await s3.put("/bucket/key", "second");

  const { text, headers } = await s3.get("/bucket/key");
  assert.equal(text, "second");
  assert.equal(headers["x-amz-meta-a"], undefined);
  assert.equal(headers["content-type"], "binary/octet-stream");
});

const KEYS = [
  "a%20b",
  "a+b",
  "a%2Fb//c",
  "/x",
  "..",
  "a/../b",
  ".",
  "a%2500",
  "%F0%9F%98%80",
  "%C3%A9",
];
for (const key of [
  ...KEYS,
  "%EF%BF%BD",
  "a%00b",
  "%7F",
  "a;b=c&d",
  "~'()*!$@:,",
  "a%3Fuploads",
  "x%0Ay",
]) {
  test(`PutObject keeps the key ${key} apart from every other`, async (t) => {
    const s3 = await startServer(t);

    assert.equal((await s3.put(`/bucket/${key}`, key)).status, 200);

    assert.equal((await s3.get(`/bucket/${key}`)).text, key);
    const listed = await s3.get("/bucket?encoding-type=url");
    assert.deepEqual(texts(listed.text, "Key").map(decodeURIComponent), [decodeURIComponent(key)]);
  });
}

test("PutObject takes a key of 1,024 bytes and refuses one of 1,025 with KeyTooLongError", async (t) => {
  const s3 = await startServer(t);
  const longest = "%C3%A9".repeat(512);

  assert.equal((await s3.put(`/bucket/${longest}`, "bytes")).status, 200);
  const reply = await s3.put(`/bucket/${longest}a`, "bytes");

  assertRefused(reply, 400, "KeyTooLongError");
  assert.equal(only(reply.text, "Size"), "1025");
  assert.equal(only(reply.text, "MaxSizeAllowed"), "1024");
});

test("PutObject refuses a body without a length with MissingContentLength", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({
    ...{ method: "PUT", path: "/bucket/key", body: "bytes", sign: { payload: "UNSIGNED-PAYLOAD" } },
    unsigned: { "transfer-encoding": "chunked" },
  });

  assertRefused(reply, 411, "MissingContentLength");
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("PutObject refuses over 5 GiB with EntityTooLarge before the body is sent", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request({
    ...{ method: "PUT", path: "/bucket/key", expectContinue: true },
    unsigned: { "content-length": String(5 * 2 ** 30 + 1) },
  });

  assertRefused(reply, 400, "EntityTooLarge");
  assert.equal(reply.continued, false);
});

test("PutObject asks for the body of a client that waits, and answers when it has it", async (t) => {
  const s3 = await startServer(t);
  const ask = { method: "PUT", path: "/bucket/key", body: "bytes", expectContinue: true };

  const reply = await s3.request(ask);

  assert.equal(reply.continued, true);
  assert.equal(reply.status, 200);
});

const EARLY = [
  { why: "an anonymous caller", ask: { sign: false }, status: 403, code: "AccessDenied" },
  {
    why: "a wrong secret",
    ask: { as: { accessKeyId: "ROOTACCESSKEY", secret: "x" } },
    status: 403,
    code: "SignatureDoesNotMatch",
  },
  { why: "a missing bucket", ask: { path: "/missing/key" }, status: 404, code: "NoSuchBucket" },
  {
    why: "a failing If-None-Match",
    ask: { headers: { "if-none-match": "*" } },
    status: 412,
    code: "PreconditionFailed",
  },
  {
    why: "a failing If-Match",
    ask: { headers: { "if-match": '"0"' } },
    status: 412,
    code: "PreconditionFailed",
  },
  {
    why: "a malformed Content-MD5",
    ask: { headers: { "content-md5": "x" } },
    status: 400,
    code: "InvalidDigest",
  },
  {
    why: "a redirect to nowhere",
    ask: { headers: { "x-amz-website-redirect-location": "elsewhere.org" } },
    status: 400,
    code: "InvalidRedirectLocation",
  },
] as const;
for (const { why, ask, status, code } of EARLY) {
  test(`PutObject refuses ${why} with ${code} without asking for the body`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "before");

    const reply = await s3.request({
      ...{ method: "PUT", path: "/bucket/key", body: "after", expectContinue: true },
      ...ask,
    });

    assertRefused(reply, status, code);
    assert.equal(reply.continued, false);
    assert.equal((await s3.get("/bucket/key")).text, "before");
  });
}

test("PutObject refuses a missing bucket with NoSuchBucket", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.put("/missing/key", "bytes"), 404, "NoSuchBucket");
});

test("PutObject takes the storage class STANDARD_IA and tells it", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/rare", "bytes", { "x-amz-storage-class": "STANDARD_IA" });
  await s3.put("/bucket/usual", "bytes", { "x-amz-storage-class": "STANDARD" });

  assert.equal((await s3.get("/bucket/rare")).headers["x-amz-storage-class"], "STANDARD_IA");
  assert.equal((await s3.get("/bucket/usual")).headers["x-amz-storage-class"], undefined);
});

test("PutObject in a bucket that keeps versions answers the new version's id", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");

  const [first, second] = [await s3.put("/bucket/key", "1"), await s3.put("/bucket/key", "2")];

  const versionId = first.headers["x-amz-version-id"] ?? "";
  assert.notEqual(versionId, second.headers["x-amz-version-id"]);
  const got = await s3.request({ path: "/bucket/key", query: { versionId } });
  assert.equal(got.text, "1");
  assert.equal(got.headers["x-amz-version-id"], versionId);
});

const REFUSED = [
  { header: "x-amz-storage-class", value: "GLACIER", code: "InvalidStorageClass" },
  { header: "x-amz-acl", value: "everyone", code: "InvalidArgument" },
  { header: "x-amz-acl", value: "public-read", code: "AccessControlListNotSupported" },
  { header: "x-amz-grant-read", value: 'id="a"', code: "AccessControlListNotSupported" },
  { header: "x-amz-server-side-encryption", value: "aws:kms", status: 501, code: "NotImplemented" },
  { header: "x-amz-object-lock-mode", value: "GOVERNANCE", status: 501, code: "NotImplemented" },
  { header: "x-amz-object-lock-legal-hold", value: "ON", status: 501, code: "NotImplemented" },
  { header: "x-amz-write-offset-bytes", value: "5", status: 501, code: "NotImplemented" },
  { header: "x-amz-expected-bucket-owner", value: "1111", status: 403, code: "AccessDenied" },
];
for (const { header, value, status = 400, code } of REFUSED) {
  test(`PutObject refuses ${header}: ${value} with ${code} and stores nothing`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.put("/bucket/key", "bytes", { [header]: value }), status, code);
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}

for (const acl of ["private", "bucket-owner-full-control", "bucket-owner-read"]) {
  test(`PutObject takes the ACL ${acl}, which changes nothing`, async (t) => {
    const s3 = await startServer(t);

    assert.equal((await s3.put("/bucket/key", "bytes", { "x-amz-acl": acl })).status, 200);
  });
}

const NOT_PUT = [
  "foo",
  "renameObjects",
  "renameObject",
  "renameObject=x",
  "retention=1",
  "restore",
];
for (const query of [
  ...NOT_PUT,
  "legal-hold",
  "uploads",
  "delete",
  "partNumber=1",
  "uploadId=x",
  "versionId=null",
]) {
  test(`PutObject is not what PUT ?${query} means`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "before");

    const reply = await s3.request({ method: "PUT", path: "/bucket/key", query, body: "after" });
    const copied = await s3.request({
      ...{ method: "PUT", path: "/bucket/key", query },
      headers: { "x-amz-copy-source": "bucket/other" },
    });

    for (const { status, code } of [reply, copied]) {
      assert.ok(status >= 400, code);
    }
    assert.equal((await s3.get("/bucket/key")).text, "before");
  });
}

test("PutObject ignores a query parameter that it does not know", async (t) => {
  const s3 = await startServer(t);

  assert.equal((await s3.put("/bucket/key?x-id=PutObject&foo=bar", "bytes")).status, 200);
});
