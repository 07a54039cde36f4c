/** Signed requests of any kind at a whole server: each is answered, and none is a fault of ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OPERATIONS } from "#s3/operations.ts";
import { damaged, nastyText, withoutControls } from "#test/fuzz/text.ts";
import { runs } from "#test/support/runs.ts";
import { type Ask, startServer } from "#test/support/server.ts";

/** What a header can carry on the wire. */
const value = nastyText.map((text) =>
  Buffer.from(withoutControls(text, "\t"))
    .toString("latin1")
    .replaceAll(/\p{Cc}/gu, ""),
);
const path = fc.oneof(
  fc.constantFrom("/", "/bucket", "/bucket/", "/bucket/key", "/bucket/other", "/none", "/none/key"),
  nastyText.map((text) => `/bucket/${encodeURIComponent(text.toWellFormed())}`),
);
const subresources = [...new Set(OPERATIONS.flatMap(({ route: { query = [] } }) => query))];
const parameter = fc.oneof(
  fc.constantFrom(...subresources),
  fc
    .tuple(
      fc.constantFrom(
        ...["prefix", "delimiter", "marker", "max-keys", "start-after", "continuation-token"],
        ...["key-marker", "version-id-marker", "versionId", "uploadId", "partNumber", "max-parts"],
        ...["part-number-marker", "upload-id-marker", "encoding-type", "response-content-type"],
      ),
      fc.oneof(fc.constantFrom("", "1", "0", "-1", "99999", "null", "url"), nastyText),
    )
    .map(([name, text]) => `${name}=${encodeURIComponent(text.toWellFormed())}`),
);
const header = fc.tuple(
  fc.constantFrom(
    ...["range", "if-match", "if-none-match", "if-modified-since", "content-type", "expires"],
    ...[
      "x-amz-copy-source",
      "x-amz-copy-source-range",
      "x-amz-metadata-directive",
      "x-amz-tagging",
    ],
    ...["x-amz-rename-source", "x-amz-client-token", "x-amz-storage-class", "x-amz-acl"],
    ...["x-amz-checksum-crc32", "x-amz-checksum-algorithm", "x-amz-checksum-type", "content-md5"],
    ...["x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm"],
    ...["x-amz-server-side-encryption-customer-key", "x-amz-object-attributes", "x-amz-meta-a"],
    ...["x-amz-mp-object-size", "x-amz-mfa", "x-amz-bypass-governance-retention", "origin"],
  ),
  fc.oneof(
    fc.constantFrom(
      ...["*", "bytes=0-1", "bytes=9-", "/bucket/key", "bucket/key?versionId=null", "COPY"],
      ...["REPLACE", "STANDARD", "GLACIER", "AES256", "CRC32", "CRC64NVME", "COMPOSITE", "private"],
      ...["ETag,ObjectParts", "a=1&b=2", "Thu, 01 Jan 2026 00:00:00 GMT", "AAAAAA==", "0", "5"],
    ),
    value,
  ),
);
const DOCUMENTS = [
  "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
  "<Delete><Quiet>true</Quiet><Object><Key>key</Key><VersionId>null</VersionId></Object></Delete>",
  "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
  "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>",
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}',
];
const document = fc
  .constantFrom(...DOCUMENTS)
  .chain((text) => fc.oneof(fc.constant(Buffer.from(text)), damaged(Buffer.from(text))));
const body = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  document,
);
const sign = fc.constantFrom<NonNullable<Ask["sign"]>[]>(
  ...([
    "hash",
    "hash",
    "hash",
    false,
    { presignedSeconds: 60 },
    { payload: "UNSIGNED-PAYLOAD" },
  ] as const),
);
const ask = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "PUT", "PUT", "POST", "DELETE"),
    ...{ path, sign, body, query: fc.array(parameter, { maxLength: 3 }) },
    headers: fc.array(header, { maxLength: 3 }),
  })
  .map(({ headers, query, ...rest }): Ask => {
    return { ...rest, query: query.join("&"), headers: Object.fromEntries(headers) };
  });
test("any signed request is answered, and no answer is a fault of ours", async (t) => {
  const s3 = await startServer(t);
  await fc.assert(
    fc.asyncProperty(fc.array(ask, { minLength: 1, maxLength: 6 }), async (asks) => {
      for (const each of [{ method: "PUT", path: "/bucket/key", body: "bytes" }, ...asks]) {
        const { status } = await s3.request(each);

        assert.notEqual(status, 500);
        assert.deepEqual(s3.failures, []);
      }
    }),
    runs({ short: 150, long: 50_000 }),
  );
});
