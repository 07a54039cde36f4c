/** Uploads in parts under a client's key, with every call that an upload has. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type ChecksumAlgorithm, digestOf } from "#base/checksum.ts";
import {
  completeUpload,
  type PartName,
  sendPart,
  startUpload,
  withChecksum,
} from "#test/s3/multipart.ts";
import {
  assertBody,
  assertEncrypted,
  KEY,
  OTHER_KEY,
  pattern,
  SSE_S3,
  sseC,
  type TestKey,
} from "#test/s3/sse.ts";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

const PATH = "/bucket/key";
/** A part of one chunk, one of several, one of a byte. */
const BODIES = [pattern(60_000), pattern(150_000), "."];
const WHOLE = BODIES.join("");

async function sendAll(
  s3: TestServer,
  uploadId: string,
  headers: Headers | ((body: string) => Headers),
): Promise<PartName[]> {
  const parts: PartName[] = [];
  for (const [index, body] of BODIES.entries()) {
    const own = typeof headers === "function" ? headers(body) : headers;
    parts.push(await sendPart(s3, PATH, { uploadId, number: index + 1, body, headers: own }));
  }
  return parts;
}

/** With the checksum of each part. */
function summed(algorithm: ChecksumAlgorithm, headers: Headers) {
  return (body: string): Headers => ({
    ...headers,
    [`x-amz-checksum-${algorithm.toLowerCase()}`]: digestOf(algorithm, Buffer.from(body)).toString(
      "base64",
    ),
  });
}

for (const [name, headers, how] of [
  ["a client's key", sseC(KEY), KEY],
  ["SSE-S3", SSE_S3, "SSE-S3"],
] as const) {
  const open = how === "SSE-S3" ? {} : headers;

  test(`an upload under ${name} says so at each step and reads back whole, in ranges and in parts`, async (t) => {
    const s3 = await startServer(t);
    const created = await s3.request({ method: "POST", path: PATH, query: "uploads", headers });
    const uploadId = only(created.text, "UploadId") ?? "";
    const part = await s3.request({
      ...{ method: "PUT", path: PATH, query: { partNumber: "1", uploadId } },
      ...{ body: BODIES[0] ?? "", headers: open },
    });

    const parts = await sendAll(s3, uploadId, open);
    const completed = await completeUpload(s3, PATH, { uploadId, parts });

    assert.equal(completed.status, 200, completed.text);
    for (const reply of [created, part]) assertEncrypted(reply, how);
    assertEncrypted(completed, how === "SSE-S3" ? how : "none");
    const got = await s3.get(PATH, open);
    assertBody(got, WHOLE);
    assertEncrypted(got, how);
    const range = await s3.get(PATH, { ...open, range: "bytes=59990-210000" });
    assertBody(range, WHOLE.slice(59_990));
    for (const [index, body] of BODIES.entries()) {
      const one = await s3.get(`${PATH}?partNumber=${index + 1}`, open);
      assertBody(one, body);
      assert.equal(one.headers["x-amz-mp-parts-count"], "3");
      assertEncrypted(one, how);
    }
  });
}

test("the ETags of parts under a client's key are no MD5s, and those under SSE-S3 are", async (t) => {
  const s3 = await startServer(t);
  const md5 = `"${createHash("md5").update("bytes").digest("hex")}"`;
  const etag = async (created: Headers, sent: Headers) => {
    const uploadId = await startUpload(s3, PATH, created);
    return (await sendPart(s3, PATH, { uploadId, number: 1, body: "bytes", headers: sent })).etag;
  };

  assert.equal(await etag(SSE_S3, {}), md5);
  assert.notEqual(await etag(sseC(KEY), sseC(KEY)), md5);
});

test("a part takes the upload's own key: none, another, or one out of place is InvalidRequest", async (t) => {
  const s3 = await startServer(t);
  const encrypted = await startUpload(s3, PATH, sseC(KEY));
  const plain = await startUpload(s3, PATH);
  const server = await startUpload(s3, PATH, SSE_S3);
  await s3.put("/bucket/source", pattern(100));
  const copied = { "x-amz-copy-source": "bucket/source" };
  const send = async (uploadId: string, headers: Headers) => {
    const query = { partNumber: "1", uploadId };
    const body = "x-amz-copy-source" in headers ? "" : "bytes";
    return await s3.request({ method: "PUT", path: PATH, query, body, headers });
  };

  for (const more of [{}, copied]) {
    assertRefused(await send(encrypted, more), 400, "InvalidRequest");
    assertRefused(await send(encrypted, { ...sseC(OTHER_KEY), ...more }), 400, "InvalidRequest");
    assertRefused(await send(plain, { ...sseC(KEY), ...more }), 400, "InvalidRequest");
    assertRefused(await send(server, { ...sseC(KEY), ...more }), 400, "InvalidRequest");
  }
  for (const uploadId of [encrypted, plain, server]) {
    const listed = await s3.get(`${PATH}?uploadId=${uploadId}`);
    assert.deepEqual(texts(listed.text, "PartNumber"), []);
  }
});

for (const call of ["ListParts", "CompleteMultipartUpload"]) {
  for (const algorithm of [undefined, "CRC32"] as const) {
    const needs = algorithm === undefined ? "needs no key" : `needs the key for ${algorithm}`;
    test(`${call} ${needs}, takes the upload's, and refuses another with InvalidRequest`, async (t) => {
      const s3 = await startServer(t);
      const asked: Headers =
        algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm };
      const uploadId = await startUpload(s3, PATH, { ...sseC(KEY), ...asked });
      const parts =
        algorithm === undefined
          ? await sendAll(s3, uploadId, sseC(KEY))
          : (await sendAll(s3, uploadId, summed(algorithm, sseC(KEY)))).map(withChecksum);
      const ask = async (headers: Headers): Promise<Reply> =>
        call === "ListParts"
          ? await s3.get(`${PATH}?uploadId=${uploadId}`, headers)
          : await completeUpload(s3, PATH, { uploadId, parts, headers });

      assertRefused(await ask(sseC(OTHER_KEY)), 400, "InvalidRequest");
      if (algorithm !== undefined) assertRefused(await ask({}), 400, "InvalidRequest");
      const reply = await ask(algorithm === undefined ? {} : sseC(KEY));
      assert.equal(reply.status, 200, reply.text);
      const told = algorithm !== undefined && call === "CompleteMultipartUpload";
      assertEncrypted(reply, told ? KEY : "none");
    });
  }
}

test("an upload in the clear refuses a key where its parts are listed or completed", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH);
  const parts = await sendAll(s3, uploadId, {});

  const listed = await s3.get(`${PATH}?uploadId=${uploadId}`, sseC(KEY));
  const completed = await completeUpload(s3, PATH, { uploadId, parts, headers: sseC(KEY) });

  assertRefused(listed, 400, "InvalidRequest");
  assertRefused(completed, 400, "InvalidRequest");
});

for (const [algorithm, type] of [
  ["CRC32", "FULL_OBJECT"],
  ["CRC32", "COMPOSITE"],
  ["CRC32C", "FULL_OBJECT"],
  ["CRC64NVME", "FULL_OBJECT"],
  ["SHA1", "COMPOSITE"],
  ["SHA256", "COMPOSITE"],
] as const) {
  test(`the ${type} ${algorithm} of an encrypted upload is that of the same upload in the clear`, async (t) => {
    const s3 = await startServer(t);
    const asked = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
    const whole = async (headers: Headers) => {
      const uploadId = await startUpload(s3, PATH, { ...asked, ...headers });
      const parts = await sendAll(s3, uploadId, summed(algorithm, headers));
      const reply = await completeUpload(s3, PATH, {
        ...{ uploadId, headers },
        parts: parts.map(withChecksum),
      });
      assert.equal(reply.status, 200, reply.text);
      return only(reply.text, `Checksum${algorithm}`);
    };

    const plain = await whole({});
    const encrypted = await whole(sseC(KEY));

    assert.notEqual(plain, undefined);
    assert.equal(encrypted, plain);
    const attributes = { "x-amz-object-attributes": "Checksum,ObjectParts" };
    const got = await s3.get(`${PATH}?attributes`, { ...attributes, ...sseC(KEY) });
    assert.equal(only(got.text, "PartsCount"), "3");
    assert.equal(only(got.text, "ChecksumType"), type);
  });
}

test("an abort needs no key, and the upload is gone", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH, sseC(KEY));
  await sendAll(s3, uploadId, sseC(KEY));

  const aborted = await s3.request({ method: "DELETE", path: `${PATH}?uploadId=${uploadId}` });

  assert.equal(aborted.status, 204);
  assertRefused(await s3.get(`${PATH}?uploadId=${uploadId}`), 404, "NoSuchUpload");
  assertRefused(await s3.get(PATH, sseC(KEY)), 404, "NoSuchKey");
});

test("a part that is sent again under the key replaces the first, and the same bytes have one ETag", async (t) => {
  const s3 = await startServer(t);
  const uploadId = await startUpload(s3, PATH, sseC(KEY));
  const headers = sseC(KEY);
  await sendPart(s3, PATH, { uploadId, number: 1, body: pattern(100_000), headers });

  const part = await sendPart(s3, PATH, { uploadId, number: 1, body: pattern(70_000), headers });
  const again = await sendPart(s3, PATH, { uploadId, number: 1, body: pattern(70_000), headers });
  await completeUpload(s3, PATH, { uploadId, parts: [part] });

  assert.equal(again.etag, part.etag);
  assertBody(await s3.get(PATH, headers), pattern(70_000));
});

type How = TestKey | "SSE-S3" | "none";

const WAYS: Readonly<Record<string, How>> = {
  "in the clear": "none",
  "under the same key": KEY,
  "under another key": OTHER_KEY,
  "under SSE-S3": "SSE-S3",
};

function writing(how: How): Headers {
  if (how === "none") return {};
  return how === "SSE-S3" ? SSE_S3 : sseC(how);
}

function copying(how: How): Headers {
  return typeof how === "string" ? {} : sseC(how, "copy-source-");
}

for (const [from, source] of Object.entries(WAYS)) {
  for (const [to, target] of Object.entries(WAYS)) {
    test(`UploadPartCopy from ${from} into an upload ${to} copies any range of any size`, async (t) => {
      const s3 = await startServer(t);
      await s3.put("/bucket/large", pattern(150_000), writing(source));
      await s3.put("/bucket/small", pattern(10), writing(source));
      await s3.put("/bucket/empty", "", writing(source));
      const uploadId = await startUpload(s3, PATH, writing(target));
      const own = typeof target === "string" ? {} : sseC(target);
      const copies = [
        { key: "large", range: undefined, bytes: pattern(150_000) },
        {
          key: "large",
          range: "bytes=65530-131080",
          bytes: pattern(150_000).slice(65_530, 131_081),
        },
        { key: "small", range: undefined, bytes: pattern(10) },
        { key: "small", range: "bytes=2-7", bytes: pattern(10).slice(2, 8) },
        { key: "empty", range: undefined, bytes: "" },
      ];
      const parts: PartName[] = [];
      for (const [at, { key, range }] of copies.entries()) {
        const reply = await s3.request({
          ...{ method: "PUT", path: PATH, query: { partNumber: String(at + 1), uploadId } },
          headers: {
            ...{ "x-amz-copy-source": `bucket/${key}`, ...own, ...copying(source) },
            ...(range === undefined ? {} : { "x-amz-copy-source-range": range }),
          },
        });
        assert.equal(reply.status, 200, reply.text);
        assertEncrypted(reply, target);
        parts.push({ number: at + 1, etag: only(reply.text, "ETag") ?? "" });
      }
      for (const path of ["/bucket/large", "/bucket/small"]) {
        await s3.request({ method: "DELETE", path });
      }

      const completed = await completeUpload(s3, PATH, { uploadId, parts });

      assert.equal(completed.status, 200, completed.text);
      const got = await s3.get(PATH, own);
      assertBody(got, copies.map(({ bytes }) => bytes).join(""));
      assertEncrypted(got, target);
    });
  }
}

test("UploadPartCopy refuses a source's key that is missing, another one, or out of place", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/source", pattern(150_000), sseC(OTHER_KEY));
  await s3.put("/bucket/plain", pattern(150_000));
  const uploadId = await startUpload(s3, PATH, sseC(KEY));
  const send = async (source: string, headers: Headers) =>
    await s3.request({
      ...{ method: "PUT", path: PATH, query: { partNumber: "1", uploadId } },
      headers: { "x-amz-copy-source": source, ...sseC(KEY), ...headers },
    });

  assertRefused(await send("bucket/source", {}), 400, "InvalidRequest");
  assertRefused(await send("bucket/source", copying(KEY)), 403, "AccessDenied");
  assertRefused(await send("bucket/plain", copying(KEY)), 400, "InvalidRequest");
  assert.equal((await send("bucket/source", copying(OTHER_KEY))).status, 200);
});

for (const algorithm of ["CRC32", "CRC64NVME", "SHA256"]) {
  test(`a part copied between two keys has the ${algorithm} of its bytes in the clear`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/encrypted", pattern(150_000), sseC(OTHER_KEY));
    await s3.put("/bucket/plain", pattern(150_000));
    const asked = { "x-amz-checksum-algorithm": algorithm };
    const checksum = async (source: Headers, target: Headers) => {
      const uploadId = await startUpload(s3, PATH, { ...asked, ...target });
      const reply = await s3.request({
        ...{ method: "PUT", path: PATH, query: { partNumber: "1", uploadId } },
        headers: { ...source, ...target, "x-amz-copy-source-range": "bytes=10-149990" },
      });
      assert.equal(reply.status, 200, reply.text);
      return only(reply.text, `Checksum${algorithm}`);
    };

    const plain = await checksum({ "x-amz-copy-source": "bucket/plain" }, {});
    const source = { "x-amz-copy-source": "bucket/encrypted", ...copying(OTHER_KEY) };
    const encrypted = await checksum(source, sseC(KEY));

    assert.notEqual(plain, undefined);
    assert.equal(encrypted, plain);
  });
}

test("a copied part can be copied on, slice of slice, and each key opens its own alone", async (t) => {
  const s3 = await startServer(t);
  const keys = [KEY, OTHER_KEY, KEY];
  await s3.put("/bucket/0", pattern(150_000), sseC(KEY));
  for (const [at, key] of keys.entries()) {
    const path = `/bucket/${at + 1}`;
    const uploadId = await startUpload(s3, path, sseC(key));
    const reply = await s3.request({
      ...{ method: "PUT", path, query: { partNumber: "1", uploadId } },
      headers: {
        ...{ "x-amz-copy-source": `bucket/${at}`, ...sseC(key) },
        ...copying(keys[at - 1] ?? KEY),
        "x-amz-copy-source-range": `bytes=10000-${149_999 - at * 20_000}`,
      },
    });
    assert.equal(reply.status, 200, reply.text);
    const parts = [{ number: 1, etag: only(reply.text, "ETag") ?? "" }];
    assert.equal((await completeUpload(s3, path, { uploadId, parts })).status, 200);
  }

  let expected = pattern(150_000);
  for (const [at, key] of keys.entries()) {
    expected = expected.slice(10_000, 150_000 - at * 20_000);
    assertBody(await s3.get(`/bucket/${at + 1}`, sseC(key)), expected);
    const other = key === KEY ? OTHER_KEY : KEY;
    assertRefused(await s3.get(`/bucket/${at + 1}`, sseC(other)), 403, "AccessDenied");
  }
});
