import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChecksumAlgorithm, digestOf } from "#base/checksum.ts";
import {
  completeUpload,
  type PartName,
  sendPart,
  startUpload,
  withChecksum,
} from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer, type TestServer } from "#test/support/server.ts";

const PATH = "/bucket/key";
const BODIES = ["12345", "6789"];
/** Of all BODIES together: the check values of each specification. */
const FULL = { CRC32: "y/Q5Jg==", CRC32C: "4waSgw==", CRC64NVME: "rosUhgp5mIg=" } as const;
const COMPOSITE = ["CRC32", "CRC32C", "SHA1", "SHA256"] as const;

const sumOf = (algorithm: ChecksumAlgorithm, body: string) =>
  digestOf(algorithm, Buffer.from(body));

function compositeOf(algorithm: ChecksumAlgorithm): string {
  const digests = BODIES.map((body) => sumOf(algorithm, body));
  return `${digestOf(algorithm, Buffer.concat(digests)).toString("base64")}-${BODIES.length}`;
}

async function upload(s3: TestServer, algorithm: ChecksumAlgorithm, type: string) {
  const uploadId = await startUpload(s3, PATH, {
    "x-amz-checksum-algorithm": algorithm,
    "x-amz-checksum-type": type,
  });
  const parts: PartName[] = [];
  for (const [index, body] of BODIES.entries()) {
    const value = sumOf(algorithm, body).toString("base64");
    const headers = { [`x-amz-checksum-${algorithm.toLowerCase()}`]: value };
    const part = await sendPart(s3, PATH, { uploadId, number: index + 1, body, headers });
    parts.push({ ...part, more: `<Checksum${algorithm}>${value}</Checksum${algorithm}>` });
  }
  return { uploadId, parts };
}

const CASES = [
  ...Object.entries(FULL).map(([algorithm, value]) => ({
    algorithm: algorithm as keyof typeof FULL,
    type: "FULL_OBJECT",
    value: value as string,
  })),
  ...COMPOSITE.map((algorithm) => ({
    algorithm,
    type: "COMPOSITE",
    value: compositeOf(algorithm),
  })),
];
for (const { algorithm, type, value } of CASES) {
  const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
  test(`CompleteMultipartUpload makes the ${type} ${algorithm} and reads tell it`, async (t) => {
    const s3 = await startServer(t);
    const reply = await completeUpload(s3, PATH, await upload(s3, algorithm, type));

    assert.equal(only(reply.text, `Checksum${algorithm}`), value);
    assert.equal(only(reply.text, "ChecksumType"), type);
    for (const method of ["GET", "HEAD"]) {
      const headers = { "x-amz-checksum-mode": "ENABLED" };
      const read = await s3.request({ method, path: PATH, headers });
      assert.equal(read.headers[name], value);
      assert.equal(read.headers["x-amz-checksum-type"], type);
    }
  });

  test(`CompleteMultipartUpload holds the object to the ${type} ${algorithm} that is sent`, async (t) => {
    const s3 = await startServer(t);
    const given = await upload(s3, algorithm, type);
    const wrong = sumOf(algorithm, "other").toString("base64");
    const headers = (sum: string) => ({ [name]: sum, "x-amz-checksum-type": type });

    const refused = await completeUpload(s3, PATH, { ...given, headers: headers(wrong) });
    const completed = await completeUpload(s3, PATH, { ...given, headers: headers(value) });

    assertRefused(refused, 400, "BadDigest");
    assert.equal(completed.status, 200);
  });

  test(`CompleteMultipartUpload refuses a part's wrong ${algorithm} (${type}) with InvalidPart`, async (t) => {
    const s3 = await startServer(t);
    const { uploadId, parts } = await upload(s3, algorithm, type);
    const wrong = sumOf(algorithm, "other").toString("base64");
    const lying = parts.map((part) => ({
      ...part,
      more: `<Checksum${algorithm}>${wrong}</Checksum${algorithm}>`,
    }));

    assertRefused(await completeUpload(s3, PATH, { uploadId, parts: lying }), 400, "InvalidPart");
  });
}

for (const algorithm of COMPOSITE) {
  test(`CompleteMultipartUpload refuses a part without its ${algorithm} (COMPOSITE) with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);
    const { uploadId, parts } = await upload(s3, algorithm, "COMPOSITE");
    const [first, second] = parts;
    assert.ok(first !== undefined && second !== undefined);

    const bare = { ...second, more: "" };
    const refused = await completeUpload(s3, PATH, { uploadId, parts: [first, bare] });
    const completed = await completeUpload(s3, PATH, { uploadId, parts });

    assertRefused(refused, 400, "InvalidRequest");
    assert.equal(
      only(refused.text, "Message"),
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part 2 in the request.`,
    );
    assert.equal(completed.status, 200);
  });
}

for (const [algorithm, value] of Object.entries(FULL)) {
  test(`CompleteMultipartUpload takes parts without their ${algorithm} for a FULL_OBJECT checksum`, async (t) => {
    const s3 = await startServer(t);
    const { uploadId, parts } = await upload(s3, algorithm as keyof typeof FULL, "FULL_OBJECT");
    const bare = parts.map((part) => ({ ...part, more: "" }));

    const reply = await completeUpload(s3, PATH, { uploadId, parts: bare });

    assert.equal(only(reply.text, `Checksum${algorithm}`), value);
  });
}

test("CompleteMultipartUpload refuses a part's checksum by another algorithm with BadDigest", async (t) => {
  const s3 = await startServer(t);
  const { uploadId, parts } = await upload(s3, "CRC32", "COMPOSITE");
  const told = parts.map((part) => ({
    ...part,
    more: `<ChecksumSHA1>${"A".repeat(27)}=</ChecksumSHA1>`,
  }));

  assertRefused(await completeUpload(s3, PATH, { uploadId, parts: told }), 400, "BadDigest");
});

test("CompleteMultipartUpload refuses another checksum type than the upload's with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  const given = await upload(s3, "CRC32", "COMPOSITE");
  const headers = { "x-amz-checksum-type": "FULL_OBJECT" };

  assertRefused(await completeUpload(s3, PATH, { ...given, headers }), 400, "InvalidRequest");
});

test("CompleteMultipartUpload refuses a part's checksum that nobody here could check with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  const { uploadId, parts } = await upload(s3, "CRC32", "COMPOSITE");
  const told = parts.map((part) => ({
    ...part,
    more: "<ChecksumXXHASH64>aGVsbG8=</ChecksumXXHASH64>",
  }));

  const refused = await completeUpload(s3, PATH, { uploadId, parts: told });
  const headers = { "x-amz-checksum-xxhash64": "aGVsbG8=" };
  const whole = await completeUpload(s3, PATH, { uploadId, parts, headers });

  assertRefused(refused, 400, "InvalidRequest");
  assertRefused(whole, 400, "InvalidRequest");
});

/** Parts with a CRC32 each, of an upload that was created without an algorithm. */
async function uploadWithout(s3: TestServer) {
  const uploadId = await startUpload(s3, PATH);
  const parts: PartName[] = [];
  for (const [index, body] of BODIES.entries()) {
    const headers = { "x-amz-checksum-crc32": sumOf("CRC32", body).toString("base64") };
    parts.push(await sendPart(s3, PATH, { uploadId, number: index + 1, body, headers }));
  }
  return { uploadId, parts };
}

test("CompleteMultipartUpload gives a CRC64NVME to an upload that was started without a checksum", async (t) => {
  const s3 = await startServer(t);

  const reply = await completeUpload(s3, PATH, await uploadWithout(s3));

  assert.equal(only(reply.text, "ChecksumCRC64NVME"), FULL.CRC64NVME);
  assert.equal(only(reply.text, "ChecksumType"), "FULL_OBJECT");
});

test("CompleteMultipartUpload knows no checksums of parts of an upload that was started without one: InvalidPart", async (t) => {
  const s3 = await startServer(t);
  const { uploadId, parts } = await uploadWithout(s3);

  const refused = await completeUpload(s3, PATH, { uploadId, parts: parts.map(withChecksum) });

  assertRefused(refused, 400, "InvalidPart");
});

test("CompleteMultipartUpload refuses a checksum type for an upload that was started without one with InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  const given = await uploadWithout(s3);

  for (const type of ["FULL_OBJECT", "COMPOSITE"]) {
    const headers = { "x-amz-checksum-type": type };
    assertRefused(await completeUpload(s3, PATH, { ...given, headers }), 400, "InvalidRequest");
  }
});

test("CompleteMultipartUpload holds an upload that was started without a checksum to its CRC64NVME alone", async (t) => {
  const s3 = await startServer(t);
  const given = await uploadWithout(s3);

  const headers = { "x-amz-checksum-crc64nvme": sumOf("CRC64NVME", "other").toString("base64") };
  const refused = await completeUpload(s3, PATH, { ...given, headers });
  const ignored = { "x-amz-checksum-crc32c": sumOf("CRC32C", "other").toString("base64") };
  const completed = await completeUpload(s3, PATH, { ...given, headers: ignored });

  assertRefused(refused, 400, "BadDigest");
  assert.equal(only(completed.text, "ChecksumCRC64NVME"), FULL.CRC64NVME);
});

test("CompleteMultipartUpload combines the CRC of parts that have no bytes", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = [
    await sendPart(s3, PATH, { uploadId, number: 1, body: "123456789" }),
    await sendPart(s3, PATH, { uploadId, number: 2, body: "" }),
  ];

  const reply = await completeUpload(s3, PATH, { uploadId, parts });

  assert.equal(only(reply.text, "ChecksumCRC64NVME"), FULL.CRC64NVME);
});
