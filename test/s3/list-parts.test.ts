import assert from "node:assert/strict";
import { test } from "node:test";
import { sendPart, startUpload } from "#test/s3/multipart.ts";
import { assertRefused, inners, only, s3Document, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PATH = "/bucket/key";

test("ListParts answers the upload and its parts in this document", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH, {
    "x-amz-checksum-algorithm": "CRC32",
    "x-amz-storage-class": "STANDARD_IA",
  });
  const headersOfPart = { "x-amz-checksum-crc32": "y/Q5Jg==" };
  await sendPart(s3, PATH, { uploadId, number: 7, body: "123456789", headers: headersOfPart });

  const { text, headers } = await s3.get(`${PATH}?uploadId=${uploadId}`);

  const owner = texts(text, "ID")[0] ?? "";
  const who = `<ID>${owner}</ID><DisplayName>${s3.organizationId}</DisplayName>`;
  assert.equal(headers["content-type"], "application/xml");
  assert.equal(
    text,
    s3Document(
      "ListPartsResult",
      `<Bucket>bucket</Bucket><Key>key</Key><UploadId>${uploadId}</UploadId><Initiator>${who}</Initiator><Owner>${who}</Owner><StorageClass>STANDARD_IA</StorageClass><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>7</NextPartNumberMarker><MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Part><PartNumber>7</PartNumber><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;25f9e794323b453885f5181f1b624d0b&quot;</ETag><Size>9</Size><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>`,
    ),
  );
});

test("ListParts of an upload without parts answers none", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);

  const { status, text } = await s3.get(`${PATH}?uploadId=${uploadId}`);

  assert.equal(status, 200);
  assert.deepEqual(inners(text, "Part"), []);
  assert.equal(only(text, "NextPartNumberMarker"), "0");
  assert.equal(only(text, "ChecksumAlgorithm"), undefined);
});

for (const size of [1, 2, 3, 5]) {
  test(`ListParts in pages of ${size} shows every part once, in order of numbers`, async (t) => {
    const s3 = await startServer(t);
    const uploadId = await startUpload(s3, PATH);
    const numbers = [10_000, 1, 300, 2, 256];
    for (const number of numbers) await sendPart(s3, PATH, { uploadId, number, body: "x" });
    const seen: string[] = [];
    let marker: string | undefined = "0";
    while (marker !== undefined && seen.length < 9) {
      const query: Record<string, string> = {
        uploadId,
        "max-parts": String(size),
        "part-number-marker": marker,
      };
      const { text } = await s3.request({ path: PATH, query });
      assert.equal(only(text, "MaxParts"), String(size));
      assert.equal(only(text, "PartNumberMarker"), marker);
      seen.push(...texts(text, "PartNumber"));
      marker =
        only(text, "IsTruncated") === "true" ? only(text, "NextPartNumberMarker") : undefined;
    }

    assert.deepEqual(seen, ["1", "2", "256", "300", "10000"]);
  });
}

const REFUSED = [
  { query: "uploadId=never", status: 404, code: "NoSuchUpload" },
  { query: `uploadId=${"0".repeat(32)}`, status: 404, code: "NoSuchUpload" },
  { query: "uploadId=", status: 404, code: "NoSuchUpload" },
  { path: "/missing/key", query: "uploadId=never", status: 404, code: "NoSuchBucket" },
  { query: "uploadId=never&max-parts=-1", status: 400, code: "InvalidArgument" },
  { query: "uploadId=never&max-parts=x", status: 400, code: "InvalidArgument" },
  { query: "uploadId=never&part-number-marker=x", status: 400, code: "InvalidArgument" },
];
for (const { path = PATH, query, status, code } of REFUSED) {
  test(`ListParts refuses ${path}?${query} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.request({ path, query }), status, code);
  });
}

test("ListParts refuses the upload of another key with NoSuchUpload", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);

  assertRefused(await s3.get(`/bucket/other?uploadId=${uploadId}`), 404, "NoSuchUpload");
});
