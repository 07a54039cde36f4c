import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketDocumentLaws } from "#test/s3/bucket-document.ts";
import { completeUpload, sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertBody, assertEncrypted, KEY, pattern, SIZES, SSE_S3, sseC } from "#test/s3/sse.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type ServerOptions, startServer } from "#test/support/server.ts";

const APPLY = (inner: string) =>
  `<ApplyServerSideEncryptionByDefault>${inner}</ApplyServerSideEncryptionByDefault>`;
const RULE = (inner: string) => `<Rule>${inner}</Rule>`;
const WHOLE = (inner: string) =>
  `<ServerSideEncryptionConfiguration>${inner}</ServerSideEncryptionConfiguration>`;
const AES256 = APPLY("<SSEAlgorithm>AES256</SSEAlgorithm>");
const KMS = (algorithm: string) => WHOLE(RULE(APPLY(`<SSEAlgorithm>${algorithm}</SSEAlgorithm>`)));
const BUCKET_KEY = (value: string) => `<BucketKeyEnabled>${value}</BucketKeyEnabled>`;

bucketDocumentLaws({
  name: "BucketEncryption",
  query: "encryption",
  root: "ServerSideEncryptionConfiguration",
  put: ` ${RULE(` ${AES256} `)} `,
  got: RULE(AES256 + BUCKET_KEY("false")),
  other: RULE(BUCKET_KEY("true") + AES256),
  putStatus: 200,
  missing: "ServerSideEncryptionConfigurationNotFoundError",
  refused: [
    { why: "no rule", body: WHOLE(""), code: "MalformedXML" },
    { why: "two rules", body: WHOLE(RULE(AES256).repeat(2)), code: "MalformedXML" },
    { why: "a rule without a default", body: WHOLE(RULE("")), code: "MalformedXML" },
    { why: "a default without an algorithm", body: WHOLE(RULE(APPLY(""))), code: "MalformedXML" },
    { why: "an unknown algorithm", body: KMS("AES512"), code: "InvalidArgument" },
    { why: "aws:kms", body: KMS("aws:kms"), status: 501, code: "NotImplemented" },
    { why: "aws:kms:dsse", body: KMS("aws:kms:dsse"), status: 501, code: "NotImplemented" },
    {
      why: "a KMS key with AES256",
      body: WHOLE(
        RULE(APPLY("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>")),
      ),
      code: "InvalidArgument",
    },
    {
      why: "a bucket key that is neither true nor false",
      body: WHOLE(RULE(AES256 + BUCKET_KEY("yes"))),
      code: "MalformedXML",
    },
    {
      why: "encryption types that are blocked",
      body: WHOLE(RULE(`${AES256}<BlockedEncryptionTypes/>`)),
      status: 501,
      code: "NotImplemented",
    },
  ],
});

type TestContext = Parameters<typeof startServer>[0];

async function encryptingServer(t: TestContext, options: ServerOptions = {}) {
  const s3 = await startServer(t, options);
  assert.equal((await s3.put("/bucket?encryption", WHOLE(RULE(AES256)))).status, 200);
  return s3;
}

for (const size of SIZES) {
  test(`an object of ${size} bytes is encrypted with SSE-S3 when the bucket says so`, async (t) => {
    const s3 = await encryptingServer(t);

    const put = await s3.put("/bucket/key", pattern(size));
    const got = await s3.get("/bucket/key");

    assertEncrypted(put, "SSE-S3");
    assertEncrypted(got, "SSE-S3");
    assertBody(got, pattern(size));
  });

  test(`a copy of ${size} bytes is encrypted with SSE-S3 when its bucket says so`, async (t) => {
    const s3 = await encryptingServer(t, { buckets: ["bucket", "plain"] });
    await s3.put("/plain/key", pattern(size));

    const copied = await s3.put("/bucket/copy", "", { "x-amz-copy-source": "plain/key" });

    assertEncrypted(copied, "SSE-S3");
    assertEncrypted(await s3.get("/bucket/copy"), "SSE-S3");
    assertBody(await s3.get("/bucket/copy"), pattern(size));
    const back = await s3.put("/plain/back", "", { "x-amz-copy-source": "bucket/copy" });
    assertEncrypted(back, "none");
    assertBody(await s3.get("/plain/back"), pattern(size));
  });
}

test("an upload is encrypted as the bucket was set when it was created", async (t) => {
  const s3 = await encryptingServer(t);
  const uploadId = await startUpload(s3, "/bucket/key");
  await s3.request({ method: "DELETE", path: "/bucket?encryption" });

  const parts = [await sendPart(s3, "/bucket/key", { uploadId, number: 1, body: pattern(100) })];
  const completed = await completeUpload(s3, "/bucket/key", { uploadId, parts });

  assertEncrypted(completed, "SSE-S3");
  assertEncrypted(await s3.get("/bucket/key"), "SSE-S3");
  assertEncrypted(await s3.put("/bucket/plain", "bytes"), "none");
});

test("a write that brings its own key has that, whatever the bucket says", async (t) => {
  const s3 = await encryptingServer(t);

  assertEncrypted(await s3.put("/bucket/key", pattern(100), sseC(KEY)), KEY);
  assertEncrypted(await s3.put("/bucket/asked", pattern(100), SSE_S3), "SSE-S3");
});

test("a default that comes or goes changes no object that is there", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/before", pattern(100));
  await s3.put("/bucket?encryption", WHOLE(RULE(AES256)));
  await s3.put("/bucket/between", pattern(100));
  await s3.request({ method: "DELETE", path: "/bucket?encryption" });
  await s3.put("/bucket/after", pattern(100));

  assertEncrypted(await s3.get("/bucket/before"), "none");
  assertEncrypted(await s3.get("/bucket/between"), "SSE-S3");
  assertEncrypted(await s3.get("/bucket/after"), "none");
});

test("PutBucketEncryption says in AWS's words that AES256 has no KMS key", async (t) => {
  const s3 = await startServer(t);
  const both = "<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>";

  const refused = await s3.put("/bucket?encryption", WHOLE(RULE(APPLY(both))));

  assertRefused(refused, 400, "InvalidArgument");
  assert.equal(only(refused.text, "ArgumentName"), "ApplyServerSideEncryptionByDefault");
  assert.match(only(refused.text, "Message") ?? "", /^a KMSMasterKeyID is not applicable if/);
});
