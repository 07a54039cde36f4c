import assert from "node:assert/strict";
import { test } from "node:test";
import {
  completeUpload,
  type PartName,
  sendPart,
  startUpload,
  uploadWhole,
  withChecksum,
} from "#test/s3/multipart.ts";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket/key?attributes";
const ALL = { "x-amz-object-attributes": "ETag,Checksum,ObjectParts,StorageClass,ObjectSize" };

test("GetObjectAttributes answers what is asked for in this document", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const { status, text, headers } = await s3.get(PATH, ALL);

  assert.equal(status, 200);
  assert.equal(headers["last-modified"], "Fri, 02 Jan 2026 03:04:05 GMT");
  assert.equal(
    text,
    s3Document(
      "GetObjectAttributesResponse",
      "<ETag>25f9e794323b453885f5181f1b624d0b</ETag><Checksum><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></Checksum><StorageClass>STANDARD</StorageClass><ObjectSize>9</ObjectSize>",
    ),
  );
});

for (const name of ["ETag", "StorageClass", "ObjectSize"]) {
  test(`GetObjectAttributes answers ${name} alone when nothing else is asked for`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");

    const { text } = await s3.get(PATH, { "x-amz-object-attributes": name });

    assert.match(
      text,
      new RegExp(`Response[^>]*><${name}>[^<]*</${name}></GetObjectAttributesResponse>$`),
    );
  });
}

test("GetObjectAttributes of an upload without composite checksum counts its parts alone", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["12345", "6789"]);

  const { text } = await s3.get(PATH, ALL);

  assert.match(only(text, "ETag") ?? "", /^[0-9a-f]{32}-2$/);
  assert.deepEqual(inners(text, "ObjectParts"), ["<PartsCount>2</PartsCount>"]);
});

test("GetObjectAttributes pages through the parts of an upload with composite checksum", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, "/bucket/key", { "x-amz-checksum-algorithm": "CRC32" });
  const parts: PartName[] = [];
  for (const number of [1, 2, 3]) {
    const headers = { "x-amz-checksum-crc32": "y/Q5Jg==" };
    const part = { uploadId, number, body: "123456789", headers };
    parts.push(withChecksum(await sendPart(s3, "/bucket/key", part)));
  }
  await completeUpload(s3, "/bucket/key", { uploadId, parts });

  const first = await s3.get(PATH, { ...ALL, "x-amz-max-parts": "2" });
  const second = await s3.get(PATH, { ...ALL, "x-amz-part-number-marker": "2" });
  const third = await s3.get(PATH, { ...ALL, "x-amz-max-parts": "x" });

  assert.deepEqual(texts(first.text, "PartNumber"), ["1", "2"]);
  assert.equal(only(first.text, "IsTruncated"), "true");
  assert.equal(only(first.text, "NextPartNumberMarker"), "2");
  assert.equal(only(first.text, "PartsCount"), "3");
  assert.deepEqual(texts(second.text, "PartNumber"), ["3"]);
  assert.deepEqual(texts(third.text, "PartNumber"), ["1", "2", "3"]);
  assert.equal(only(second.text, "IsTruncated"), "false");
  assert.deepEqual(texts(inners(second.text, "Part").join(""), "ChecksumCRC32"), ["y/Q5Jg=="]);
  assert.equal(only(inners(first.text, "Checksum").join(""), "ChecksumType"), "COMPOSITE");
});

test("GetObjectAttributes answers the version that is named", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const versionId = (await s3.put("/bucket/key", "1")).headers["x-amz-version-id"];
  await s3.put("/bucket/key", "22");

  const { text, headers } = await s3.get(`${PATH}&versionId=${versionId}`, ALL);

  assert.equal(only(text, "ObjectSize"), "1");
  assert.equal(headers["x-amz-version-id"], versionId);
});

const REFUSED = [
  { why: "no attributes", headers: {}, status: 400, code: "InvalidRequest" },
  {
    why: "an unknown attribute",
    headers: { "x-amz-object-attributes": "ETag,Colour" },
    status: 400,
    code: "InvalidArgument",
  },
  {
    why: "a marker that is no number",
    headers: { ...ALL, "x-amz-part-number-marker": "x" },
    status: 400,
    code: "InvalidArgument",
  },
  {
    why: "a missing key",
    path: "/bucket/missing?attributes",
    headers: ALL,
    status: 404,
    code: "NoSuchKey",
  },
  {
    why: "a missing bucket",
    path: "/missing/key?attributes",
    headers: ALL,
    status: 404,
    code: "NoSuchBucket",
  },
];
for (const { why, path = PATH, headers, status, code } of REFUSED) {
  test(`GetObjectAttributes refuses ${why} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");

    const sent: Record<string, string> = { ...headers };
    assertRefused(await s3.get(path, sent), status, code);
  });
}
