import assert from "node:assert/strict";
import { test } from "node:test";
import { completeUpload, sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertRefused, inners, only, texts } from "#test/s3/xml.ts";
import { type Ask, startServer } from "#test/support/server.ts";

const PATH = "/bucket/key";
const part = (uploadId: string, more: Partial<Ask> = {}): Ask => ({
  ...{ method: "PUT", path: PATH, body: "123456789" },
  query: { partNumber: "1", uploadId },
  ...more,
});

test("UploadPart answers the MD5 of the part as its ETag", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);

  const reply = await s3.request(part(uploadId));

  assert.equal(reply.status, 200);
  assert.equal(reply.bytes.length, 0);
  assert.equal(reply.headers["etag"], '"25f9e794323b453885f5181f1b624d0b"');
});

test("UploadPart replaces a part of the same number", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const old = await sendPart(s3, PATH, { uploadId, number: 1, body: "before" });
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "after" })];

  const refused = await completeUpload(s3, PATH, { uploadId, parts: [old] });
  await completeUpload(s3, PATH, { uploadId, parts });

  assertRefused(refused, 400, "InvalidPart");
  assert.equal((await s3.get(PATH)).text, "after");
});

test("UploadPart takes parts in any order, at once, and the numbers 1 and 10,000", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const bodies = new Map([
    [10_000, "last"],
    [1, "first"],
    [17, "between"],
  ]);
  const parts = await Promise.all(
    [...bodies].map(([number, body]) => sendPart(s3, PATH, { uploadId, number, body })),
  );

  await completeUpload(s3, PATH, { uploadId, parts: parts.sort((a, b) => a.number - b.number) });

  assert.equal((await s3.get(PATH)).text, "firstbetweenlast");
});

test("UploadPart takes an empty part", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "" })];

  assert.equal((await completeUpload(s3, PATH, { uploadId, parts })).status, 200);
  assert.equal((await s3.get(PATH)).headers["content-length"], "0");
});

const VALUES = {
  CRC32: "y/Q5Jg==",
  CRC32C: "4waSgw==",
  CRC64NVME: "rosUhgp5mIg=",
  SHA1: "98O8HYCOBHMq32eZZczDTKeuNEE=",
  SHA256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
};
for (const [algorithm, value] of Object.entries(VALUES)) {
  const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
  test(`UploadPart holds a part to ${algorithm}, as header or trailer, and lists it`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH, { "x-amz-checksum-algorithm": algorithm });
    const ways: readonly Partial<Ask>[] = [
      { headers: { [name]: value } },
      { sign: { mode: "unsigned-trailer", trailers: { [name]: value } } },
      { sign: { mode: "signed-trailer", trailers: { [name]: value } } },
    ];
    for (const way of ways) {
      const reply = await s3.request(part(uploadId, way));
      assert.equal(reply.status, 200);
      assert.equal(reply.headers[name], value);
    }

    const { text } = await s3.get(`${PATH}?uploadId=${uploadId}`);

    assert.equal(only(inners(text, "Part").join(""), `Checksum${algorithm}`), value);
  });
}

test("UploadPart computes the upload's FULL_OBJECT checksum when the client sends none", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH, {
    ...{ "x-amz-checksum-algorithm": "CRC32C", "x-amz-checksum-type": "FULL_OBJECT" },
  });

  const reply = await s3.request(part(uploadId));

  assert.equal(reply.headers["x-amz-checksum-crc32c"], VALUES.CRC32C);
  const { text } = await s3.get(`${PATH}?uploadId=${uploadId}`);
  assert.deepEqual(texts(text, "ChecksumCRC32C"), ["4waSgw=="]);
});

for (const algorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
  test(`UploadPart without a checksum refuses to be of an upload with a COMPOSITE ${algorithm}`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH, { "x-amz-checksum-algorithm": algorithm });

    const reply = await s3.request(part(uploadId));

    assertRefused(reply, 400, "InvalidRequest");
    assert.equal(
      only(reply.text, "Message"),
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: null`,
    );
  });
}

test("UploadPart takes any checksum for an upload that was started without one", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);

  const reply = await s3.request(
    part(uploadId, { headers: { "x-amz-checksum-crc32": VALUES.CRC32 } }),
  );

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["x-amz-checksum-crc32"], VALUES.CRC32);
});

const REFUSED: readonly { why: string; more: Partial<Ask>; status?: number; code: string }[] = [
  {
    why: "a wrong Content-MD5",
    more: { headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" } },
    code: "BadDigest",
  },
  {
    why: "a wrong checksum",
    more: { headers: { "x-amz-checksum-crc32": "AAAAAA==" } },
    code: "BadDigest",
  },
  {
    why: "a checksum by another algorithm than the upload's",
    more: { headers: { "x-amz-checksum-sha1": VALUES.SHA1 } },
    code: "InvalidRequest",
  },
  {
    why: "a body that was not signed",
    more: { sign: { payload: "0".repeat(64) } },
    code: "XAmzContentSHA256Mismatch",
  },
  {
    why: "a body without a length",
    more: { unsigned: { "transfer-encoding": "chunked" } },
    status: 411,
    code: "MissingContentLength",
  },
  {
    why: "an owner who is not expected",
    more: { headers: { "x-amz-expected-bucket-owner": "1" } },
    status: 403,
    code: "AccessDenied",
  },
  {
    why: "another key than the upload's",
    more: { path: "/bucket/other" },
    status: 404,
    code: "NoSuchUpload",
  },
  { why: "a missing bucket", more: { path: "/missing/key" }, status: 404, code: "NoSuchBucket" },
  { why: "an anonymous caller", more: { sign: false }, status: 403, code: "AccessDenied" },
];
for (const { why, more, status = 400, code } of REFUSED) {
  test(`UploadPart refuses ${why} with ${code} and stores nothing`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH, {
      ...{ "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" },
    });

    assertRefused(await s3.request(part(uploadId, more)), status, code);
    assert.deepEqual(inners((await s3.get(`${PATH}?uploadId=${uploadId}`)).text, "Part"), []);
  });
}

for (const partNumber of ["0", "10001", "-1", "x", "1.0", "1e3"]) {
  test(`UploadPart refuses part number ${partNumber} with InvalidArgument`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH);

    const reply = await s3.request(part(uploadId, { query: { partNumber, uploadId } }));

    assertRefused(reply, 400, "InvalidArgument");
    assert.equal(only(reply.text, "ArgumentName"), "partNumber");
  });
}

for (const uploadId of ["never", "0".repeat(32), "", "../../x"]) {
  test(`UploadPart refuses the upload id "${uploadId}" with NoSuchUpload`, async (t) => {
    const s3 = await startServer(t);
    await startUpload(s3, PATH);

    const reply = await s3.request(part(uploadId, { query: `partNumber=1&uploadId=${uploadId}` }));

    assertRefused(reply, 404, "NoSuchUpload");
  });
}

test("UploadPart refuses over 5 GiB with EntityTooLarge before the body is sent", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const unsigned = { "content-length": String(5 * 2 ** 30 + 1) };

  const reply = await s3.request(part(uploadId, { unsigned, expectContinue: true }));

  assertRefused(reply, 400, "EntityTooLarge");
  assert.equal(reply.continued, false);
});

test("UploadPart refuses a missing upload without asking for the body", async (t) => {
  const s3 = await startServer(t);

  const reply = await s3.request(part("0".repeat(32), { expectContinue: true }));

  assertRefused(reply, 404, "NoSuchUpload");
  assert.equal(reply.continued, false);
});
