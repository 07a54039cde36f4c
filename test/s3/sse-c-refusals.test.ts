/** SSE-C headers that mean nothing: each operation that takes them refuses them alike. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { completeDocument, startUpload } from "#test/s3/multipart.ts";
import { KEY, OTHER_KEY, SSE_S3, sseC, testKey } from "#test/s3/sse.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Ask, startServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

const STEM = "x-amz-server-side-encryption-customer";
const [ALGORITHM, TEXT, MD5] = [`${STEM}-algorithm`, `${STEM}-key`, `${STEM}-key-md5`];

/** `headers` of SSE-C without one of them. */
function without(name: string): Headers {
  const { [name]: _, ...rest } = sseC(KEY);
  return rest;
}

const SHORT = testKey(Buffer.alloc(16, "k"));
const LONG = testKey(Buffer.alloc(33, "k"));

interface Bad {
  readonly headers: Headers;
  readonly code: string;
}

const BAD: Readonly<Record<string, Bad>> = {
  "no algorithm": { headers: without(ALGORITHM), code: "InvalidArgument" },
  "no key": { headers: without(TEXT), code: "InvalidArgument" },
  "no MD5 of the key": { headers: without(MD5), code: "InvalidArgument" },
  "the algorithm alone": { headers: { [ALGORITHM]: "AES256" }, code: "InvalidArgument" },
  "the MD5 alone": { headers: { [MD5]: KEY.md5 }, code: "InvalidArgument" },
  "the algorithm AES128": {
    headers: { ...sseC(KEY), [ALGORITHM]: "AES128" },
    code: "InvalidEncryptionAlgorithmError",
  },
  "the algorithm aes256": {
    headers: { ...sseC(KEY), [ALGORITHM]: "aes256" },
    code: "InvalidEncryptionAlgorithmError",
  },
  "a key of 128 bits": { headers: sseC(SHORT), code: "InvalidArgument" },
  "a key of 264 bits": { headers: sseC(LONG), code: "InvalidArgument" },
  "an empty key": { headers: { ...sseC(KEY), [TEXT]: "" }, code: "InvalidArgument" },
  "a key that is no base64": {
    headers: { ...sseC(KEY), [TEXT]: "?".repeat(44) },
    code: "InvalidArgument",
  },
  "a key with more behind it": {
    headers: { ...sseC(KEY), [TEXT]: `${KEY.text}AAAA` },
    code: "InvalidArgument",
  },
  "the MD5 of another key": {
    headers: { ...sseC(KEY), [MD5]: OTHER_KEY.md5 },
    code: "InvalidArgument",
  },
  "an MD5 that is none": { headers: { ...sseC(KEY), [MD5]: "md5" }, code: "InvalidArgument" },
  "an empty MD5": { headers: { ...sseC(KEY), [MD5]: "" }, code: "InvalidArgument" },
};

/** Requests that take the key of what they write or read, understood but for their headers. */
const ASKS: Readonly<Record<string, (uploadId: string) => Ask>> = {
  PutObject: () => ({ method: "PUT", path: "/bucket/new", body: "bytes" }),
  CreateMultipartUpload: () => ({ method: "POST", path: "/bucket/new", query: "uploads" }),
  UploadPart: (uploadId) => ({
    ...{ method: "PUT", path: "/bucket/upload", body: "bytes" },
    query: { partNumber: "1", uploadId },
  }),
  UploadPartCopy: (uploadId) => ({
    ...{ method: "PUT", path: "/bucket/upload", query: { partNumber: "1", uploadId } },
    headers: { "x-amz-copy-source": "bucket/plain" },
  }),
  CompleteMultipartUpload: (uploadId) => ({
    ...{ method: "POST", path: "/bucket/upload", query: { uploadId } },
    body: completeDocument([{ number: 1, etag: "0" }]),
  }),
  ListParts: (uploadId) => ({ path: "/bucket/upload", query: { uploadId } }),
  CopyObject: () => ({
    ...{ method: "PUT", path: "/bucket/new", headers: { "x-amz-copy-source": "bucket/plain" } },
  }),
  GetObject: () => ({ path: "/bucket/plain" }),
  GetObjectAttributes: () => ({
    ...{ path: "/bucket/plain?attributes" },
    headers: { "x-amz-object-attributes": "ETag" },
  }),
};

/** Those that take the key of a source too. */
const COPIES = ["CopyObject", "UploadPartCopy"];

function ofSource(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.replace("x-amz-", "x-amz-copy-source-"),
      value,
    ]),
  );
}

const CASES = Object.keys(ASKS).flatMap((operation) => [
  { operation, of: "", change: (headers: Headers) => headers },
  ...(COPIES.includes(operation) ? [{ operation, of: " for the source", change: ofSource }] : []),
]);

for (const { operation, of, change } of CASES) {
  test(`${operation} refuses bad headers of SSE-C${of}, and answers nothing of the key`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/plain", "bytes");
    const ask = ASKS[operation]?.(await startUpload(s3, "/bucket/upload"));
    assert.ok(ask !== undefined);

    for (const [why, { headers, code }] of Object.entries(BAD)) {
      const reply = await s3.request({ ...ask, headers: { ...ask.headers, ...change(headers) } });
      assert.deepEqual({ why, code: reply.code, status: reply.status }, { why, code, status: 400 });
      const key = headers[TEXT] ?? "";
      assert.ok(key === "" || !reply.text.includes(key), `${why}: the answer shows the key`);
    }
    assertRefused(await s3.get("/bucket/new"), 404, "NoSuchKey");
  });
}

test("errors of SSE-C name x-amz-server-side-encryption, and a value where it is no secret", async (t) => {
  const s3 = await startServer(t);
  const told = async (headers: Headers) => {
    const { text } = await s3.request({ method: "PUT", path: "/bucket/new", body: "x", headers });
    return [only(text, "ArgumentName"), only(text, "ArgumentValue")];
  };
  const name = "x-amz-server-side-encryption";

  assert.deepEqual(await told(sseC(SHORT)), [name, undefined]);
  assert.deepEqual(await told({ ...sseC(KEY), [MD5]: OTHER_KEY.md5 }), [name, undefined]);
  assert.deepEqual(await told(without(TEXT)), [name, undefined]);
  assert.deepEqual(await told({ ...sseC(KEY), [ALGORITHM]: "AES128" }), [name, "AES128"]);
  assert.deepEqual(await told({ ...sseC(SHORT), ...SSE_S3 }), [name, "AES256"]);
});

test("HeadObject refuses bad headers of SSE-C with 400", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/plain", "bytes");

  for (const [why, { headers }] of Object.entries(BAD)) {
    const reply = await s3.request({ method: "HEAD", path: "/bucket/plain", headers });
    assert.equal(reply.status, 400, why);
  }
});

for (const operation of ["PutObject", "CreateMultipartUpload", "CopyObject"]) {
  const KMS: Headers = { "x-amz-server-side-encryption": "aws:kms" };
  const KEY_ID: Headers = { "x-amz-server-side-encryption-aws-kms-key-id": "key" };
  const refused: readonly [why: string, headers: Headers, status: number, code: string][] = [
    ["SSE-S3 and SSE-C at once", { ...SSE_S3, ...sseC(KEY) }, 400, "InvalidArgument"],
    ["SSE-KMS and SSE-C at once", { ...KMS, ...sseC(KEY) }, 400, "InvalidArgument"],
    ["SSE-KMS", KMS, 501, "NotImplemented"],
    ["SSE-KMS with a key", { ...KMS, ...KEY_ID }, 501, "NotImplemented"],
    ["DSSE-KMS", { "x-amz-server-side-encryption": "aws:kms:dsse" }, 501, "NotImplemented"],
    ["a KMS key without SSE-KMS", KEY_ID, 400, "InvalidArgument"],
    ["a KMS key with SSE-S3", { ...SSE_S3, ...KEY_ID }, 400, "InvalidArgument"],
    ["an unknown method", { "x-amz-server-side-encryption": "AES512" }, 400, "InvalidArgument"],
    ["an empty method", { "x-amz-server-side-encryption": "" }, 400, "InvalidArgument"],
  ];
  for (const [why, headers, status, code] of refused) {
    test(`${operation} refuses ${why} with ${code}`, async (t) => {
      const s3 = await startServer(t);
      await s3.put("/bucket/plain", "bytes");
      const ask = ASKS[operation]?.("");
      assert.ok(ask !== undefined);

      const reply = await s3.request({ ...ask, headers: { ...ask.headers, ...headers } });

      assertRefused(reply, status, code);
      assertRefused(await s3.get("/bucket/new"), 404, "NoSuchKey");
    });
  }
}

for (const operation of ["GetObject", "UploadPart", "UploadPartCopy", "GetObjectAttributes"]) {
  test(`${operation} refuses x-amz-server-side-encryption with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/plain", "bytes");
    const ask = ASKS[operation]?.(await startUpload(s3, "/bucket/upload"));
    assert.ok(ask !== undefined);

    const reply = await s3.request({ ...ask, headers: { ...ask.headers, ...SSE_S3 } });

    assertRefused(reply, 400, "InvalidArgument");
  });
}
