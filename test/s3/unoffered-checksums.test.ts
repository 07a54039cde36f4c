import assert from "node:assert/strict";
import { test } from "node:test";
import { completeUpload, type PartName, sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";

const PATH = "/bucket/key";
const ALGORITHMS = ["MD5", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128"];
const VALUE = "aGVsbG8=";

type Send = (s3: TestServer, algorithm: string, upload: Upload) => Promise<Reply>;

interface Upload {
  readonly uploadId: string;
  readonly parts: readonly PartName[];
}

/** Where a request names an algorithm. */
const PLACES: Readonly<Record<string, Send>> = {
  "a header of PutObject": (s3, name) => s3.put(PATH, "bytes", headerOf(name)),
  "a header of UploadPart": (s3, name, { uploadId }) =>
    s3.put(`${PATH}?partNumber=1&uploadId=${uploadId}`, "bytes", headerOf(name)),
  "a trailer of PutObject": (s3, name) =>
    s3.request({
      ...{ method: "PUT", path: PATH, body: "bytes" },
      sign: { mode: "unsigned-trailer", trailers: headerOf(name) },
    }),
  "a trailer of UploadPart": (s3, name, { uploadId }) =>
    s3.request({
      ...{ method: "PUT", path: `${PATH}?partNumber=1&uploadId=${uploadId}`, body: "bytes" },
      sign: { mode: "signed-trailer", trailers: headerOf(name) },
    }),
  "x-amz-sdk-checksum-algorithm": (s3, name) =>
    s3.put(PATH, "bytes", { "x-amz-sdk-checksum-algorithm": name }),
  "x-amz-sdk-checksum-algorithm beside a checksum": (s3, name) =>
    s3.put(PATH, "", {
      ...{ "x-amz-sdk-checksum-algorithm": name, "x-amz-checksum-crc32": "AAAAAA==" },
    }),
  "x-amz-checksum-algorithm of CreateMultipartUpload": (s3, name) =>
    s3.request({
      ...{ method: "POST", path: `${PATH}?uploads` },
      headers: { "x-amz-checksum-algorithm": name },
    }),
  "x-amz-checksum-algorithm of CopyObject": (s3, name) =>
    s3.put("/bucket/copy", "", {
      ...{ "x-amz-copy-source": "bucket/source", "x-amz-checksum-algorithm": name },
    }),
  "a header of CompleteMultipartUpload": (s3, name, upload) =>
    completeUpload(s3, PATH, { ...upload, headers: headerOf(name) }),
  "a part of CompleteMultipartUpload": (s3, name, { uploadId, parts }) => {
    const more = `<Checksum${name}>${VALUE}</Checksum${name}>`;
    return completeUpload(s3, PATH, { uploadId, parts: parts.map((part) => ({ ...part, more })) });
  },
  "a header of a document": (s3, name) =>
    s3.put("/bucket?tagging", "<Tagging><TagSet/></Tagging>", headerOf(name)),
};

for (const [place, send] of Object.entries(PLACES)) {
  test(`an algorithm that nobody here could check by is refused by its name in ${place}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/source", "bytes");
    const uploadId = await startUpload(s3, PATH);
    const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "12345" })];

    for (const algorithm of ALGORITHMS) {
      const reply = await send(s3, algorithm, { uploadId, parts });
      assertRefused(reply, 400, "InvalidRequest");
      assert.match(
        only(reply.text, "Message") ?? "",
        /^Checksum algorithm provided is unsupported/,
      );
    }

    for (const path of [PATH, "/bucket/copy"]) assertRefused(await s3.get(path), 404, "NoSuchKey");
    assert.equal((await completeUpload(s3, PATH, { uploadId, parts })).status, 200);
  });
}

test("x-amz-sdk-checksum-algorithm says the algorithm of the checksum, in a header or a trailer", async (t) => {
  const s3 = await startServer(t);
  const sum = { "x-amz-checksum-crc32": "AAAAAA==" };
  const said = (name: string) => ({ "x-amz-sdk-checksum-algorithm": name });
  const chunked = (name: string) =>
    s3.request({
      ...{ method: "PUT", path: PATH, body: "", headers: said(name) },
      sign: { mode: "unsigned-trailer", trailers: sum },
    });

  for (const refused of [
    await s3.put(PATH, "", { ...sum, ...said("SHA1") }),
    await chunked("SHA1"),
  ]) {
    assertRefused(refused, 400, "InvalidRequest");
    const message = "Value for x-amz-sdk-checksum-algorithm header is invalid.";
    assert.equal(only(refused.text, "Message"), message);
  }
  assertRefused(await s3.get(PATH), 404, "NoSuchKey");
  assert.equal((await s3.put(PATH, "", { ...sum, ...said("crc32") })).status, 200);
  assert.equal((await chunked("CRC32")).status, 200);
});

test("CompleteMultipartUpload does not look at x-amz-sdk-checksum-algorithm", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [await sendPart(s3, PATH, { uploadId, number: 1, body: "12345" })];
  const headers = { "x-amz-sdk-checksum-algorithm": "CRC32" };

  assert.equal((await completeUpload(s3, PATH, { uploadId, parts, headers })).status, 200);
});

function headerOf(algorithm: string): Readonly<Record<string, string>> {
  return { [`x-amz-checksum-${algorithm.toLowerCase()}`]: VALUE };
}
