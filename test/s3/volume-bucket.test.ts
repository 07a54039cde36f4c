/** Volumes beside ordinary buckets, over the whole server: what is of both, and what is of neither. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { digestOf } from "#base/checksum.ts";
import { startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { START_MS, startServer } from "#test/support/server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

async function withVolume(t: TestContext) {
  const s3 = await startServer(t);
  const root = await temporaryDirectory();
  await s3.makeVolume("volume", root);
  return { s3, root };
}

test("what S3 writes is a file, and what programs write is an object", async (t) => {
  const { s3, root } = await withVolume(t);

  const put = await s3.put("/volume/data/a", "from S3");
  mkdirSync(join(root, "data", "deep"));
  writeFileSync(join(root, "data", "deep", "b"), "from a program");

  assert.equal(put.status, 200, put.text);
  assert.equal(readFileSync(join(root, "data", "a"), "utf8"), "from S3");
  assert.equal((await s3.get("/volume/data/deep/b")).text, "from a program");
  const { text } = await s3.get("/volume?list-type=2");
  assert.match(text, /<Key>data\/a<\/Key>.*<Key>data\/deep\/b<\/Key>/);
  assert.doesNotMatch(text, /s3compat/);
  assert.match((await s3.get("/")).text, /<Name>bucket<\/Name>.*<Name>volume<\/Name>/);
});

test("objects are copied between a volume and a bucket, whole and by parts", async (t) => {
  const { s3, root } = await withVolume(t);
  writeFileSync(join(root, "file"), "0123456789");

  const copied = await s3.put("/bucket/copy", "", { "x-amz-copy-source": "volume/file" });
  const back = await s3.put("/volume/back", "", { "x-amz-copy-source": "bucket/copy" });

  assert.equal(copied.status, 200, copied.text);
  assert.equal((await s3.get("/bucket/copy")).text, "0123456789");
  assert.equal(back.status, 200, back.text);
  assert.equal(readFileSync(join(root, "back"), "utf8"), "0123456789");

  const created = await s3.request({ method: "POST", path: "/bucket/parts?uploads" });
  const [, id] = /<UploadId>(.*)<\/UploadId>/.exec(created.text) ?? [];
  const part = await s3.put(`/bucket/parts?partNumber=1&uploadId=${id}`, "", {
    "x-amz-copy-source": "volume/file",
    "x-amz-copy-source-range": "bytes=2-5",
  });
  const [, etag] = /<ETag>(.*)<\/ETag>/.exec(part.text) ?? [];
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const path = `/bucket/parts?uploadId=${id}`;
  const done = await s3.request({ method: "POST", path, body });
  assert.equal(done.status, 200, done.text);
  assert.equal((await s3.get("/bucket/parts")).text, "2345");
});

test("a part that is copied between a volume and a bucket has the upload's checksum", async (t) => {
  const { s3, root } = await withVolume(t);
  writeFileSync(join(root, "file"), "0123456789");
  await s3.put("/bucket/key", "0123456789");

  for (const [source, path] of [
    ["volume/file", "/bucket/parts"],
    ["bucket/key", "/volume/parts"],
  ] as const) {
    const uploadId = await startUpload(s3, path, { "x-amz-checksum-algorithm": "SHA256" });
    const query = { partNumber: "1", uploadId };
    const headers = { "x-amz-copy-source": source };
    const reply = await s3.request({ method: "PUT", path, query, headers });

    const sum = digestOf("SHA256", Buffer.from("0123456789")).toString("base64");
    assert.equal(only(reply.text, "ChecksumSHA256"), sum, reply.text);
  }
});

test("a copy between a volume and a bucket holds to its conditions", async (t) => {
  const { s3, root } = await withVolume(t);
  writeFileSync(join(root, "file"), "bytes");
  const copy = async (more: Record<string, string>) =>
    await s3.put("/bucket/copy", "", { "x-amz-copy-source": "volume/file", ...more });

  assertRefused(await copy({ "x-amz-copy-source-if-match": '"other"' }), 412, "PreconditionFailed");
  assert.equal((await copy({ "if-none-match": "*" })).status, 200);
  assertRefused(await copy({ "if-none-match": "*" }), 412, "PreconditionFailed");
});

const REFUSED: Readonly<Record<string, readonly [method: string, path: string, body: string]>> = {
  "to keep versions": [
    "PUT",
    "?versioning",
    "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
  ],
  "a lifecycle": [
    "PUT",
    "?lifecycle",
    "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
  ],
  "default encryption": [
    "PUT",
    "?encryption",
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
  ],
  "a list of versions": ["GET", "?versions", ""],
  "its deletion": ["DELETE", "", ""],
  "object tags": ["PUT", "/file?tagging", "<Tagging><TagSet/></Tagging>"],
};
for (const [what, [method, path, body]] of Object.entries(REFUSED)) {
  test(`a volume refuses ${what} with NotImplemented`, async (t) => {
    const { s3, root } = await withVolume(t);
    writeFileSync(join(root, "file"), "bytes");

    assertRefused(
      await s3.request({ method, path: `/volume${path}`, body }),
      501,
      "NotImplemented",
    );
  });
}

test("DeleteObjects removes a directory of a volume with all in it, in whatever order they are named", async (t) => {
  const { s3, root } = await withVolume(t);
  for (const key of ["d/a", "d/e/f/b", "kept/a"]) await s3.put(`/volume/${key}`, "bytes");
  const keys = ["d/", "d/e/", "d/a", "d/e/f/", "kept/", "d/e/f/b"];

  const reply = await s3.request({
    method: "POST",
    path: "/volume?delete",
    body: `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`,
  });

  assert.deepEqual(texts(reply.text, "Key"), keys);
  assert.equal(existsSync(join(root, "d")), false);
  assert.equal(readFileSync(join(root, "kept", "a"), "utf8"), "bytes");
});

test("clocks may differ by an hour for a volume, and by 15 minutes for a bucket", async (t) => {
  const { s3, root } = await withVolume(t);
  writeFileSync(join(root, "file"), "bytes");
  await s3.put("/bucket/file", "bytes");
  const ask = (path: string, minutes: number) =>
    s3.request({ path, signedAtMs: START_MS - minutes * 60_000 });

  assert.equal((await ask("/volume/file", 59)).status, 200);
  assertRefused(await ask("/volume/file", 61), 403, "RequestTimeTooSkewed");
  assertRefused(await ask("/bucket/file", 16), 403, "RequestTimeTooSkewed");
});

test("a bucket policy lets strangers into a volume, and only as it says", async (t) => {
  const { s3, root } = await withVolume(t);
  mkdirSync(join(root, "public"));
  writeFileSync(join(root, "public", "file"), "bytes");
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: "arn:aws:s3:::volume/public/*",
      },
    ],
  });
  await s3.put("/volume?policy", policy);

  assert.equal((await s3.request({ path: "/volume/public/file", sign: false })).text, "bytes");
  assert.equal((await s3.request({ path: "/volume/other", sign: false })).status, 403);
});
