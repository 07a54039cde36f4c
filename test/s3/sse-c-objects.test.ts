/** SSE-C of whole objects: what is put under a key is read under that key, and under no other. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  assertBody,
  assertEncrypted,
  KEY,
  OTHER_KEY,
  pattern,
  SIZES,
  SSE_S3,
  sseC,
} from "#test/s3/sse.ts";
import { assertRefused, only, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

for (const size of SIZES) {
  const bytes = pattern(size);

  test(`an object of ${size} bytes is put and read under its key`, async (t) => {
    const s3 = await startServer(t);

    const put = await s3.put("/bucket/key", bytes, sseC(KEY));
    const got = await s3.get("/bucket/key", sseC(KEY));
    const head = await s3.request({ method: "HEAD", path: "/bucket/key", headers: sseC(KEY) });

    assert.equal(put.status, 200, put.text);
    assertBody(got, bytes);
    assert.equal(head.status, 200);
    assert.equal(head.headers["content-length"], String(size));
    for (const reply of [put, got, head]) {
      assertEncrypted(reply, KEY);
      assert.equal(reply.headers["etag"], put.headers["etag"]);
    }
  });

  test(`without a key ${size} bytes are refused with InvalidRequest, with another with AccessDenied`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", bytes, sseC(KEY));
    const head = { method: "HEAD", path: "/bucket/key" };

    assertRefused(await s3.get("/bucket/key"), 400, "InvalidRequest");
    assertRefused(await s3.get("/bucket/key", sseC(OTHER_KEY)), 403, "AccessDenied");
    assert.equal((await s3.request(head)).status, 400);
    assert.equal((await s3.request({ ...head, headers: sseC(OTHER_KEY) })).status, 403);
  });

  test(`an object of ${size} bytes in the clear refuses a key with InvalidRequest`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", bytes);
    const head = { method: "HEAD", path: "/bucket/key", headers: sseC(KEY) };

    assertRefused(await s3.get("/bucket/key", sseC(KEY)), 400, "InvalidRequest");
    assert.equal((await s3.request(head)).status, 400);
  });
}

const RANGES: readonly (readonly [range: string, from: number, to: number])[] = [
  ["bytes=0-0", 0, 1],
  ["bytes=65535-65536", 65_535, 65_537],
  ["bytes=65536-131071", 65_536, 131_072],
  ["bytes=1-149998", 1, 149_999],
  ["bytes=131072-", 131_072, 150_000],
  ["bytes=-1", 149_999, 150_000],
  ["bytes=-70000", 80_000, 150_000],
];
for (const [range, from, to] of RANGES) {
  test(`${range} of an encrypted object is those bytes`, async (t) => {
    const s3 = await startServer(t);
    const bytes = pattern(150_000);
    await s3.put("/bucket/key", bytes, sseC(KEY));

    const reply = await s3.get("/bucket/key", { ...sseC(KEY), range });

    assert.equal(reply.status, 206);
    assert.equal(reply.headers["content-range"], `bytes ${from}-${to - 1}/150000`);
    assertBody(reply, bytes.slice(from, to));
    assertEncrypted(reply, KEY);
  });
}

test("a range outside is refused with InvalidRange, and part 1 is the whole", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), sseC(KEY));

  const outside = await s3.get("/bucket/key", { ...sseC(KEY), range: "bytes=150000-" });
  assertRefused(outside, 416, "InvalidRange");
  const part = await s3.get("/bucket/key?partNumber=1", sseC(KEY));
  assertBody(part, pattern(150_000));
});

test("the ETag is no MD5 and differs each time, as the same bytes under one key", async (t) => {
  const s3 = await startServer(t);

  const one = await s3.put("/bucket/one", pattern(150_000), sseC(KEY));
  const two = await s3.put("/bucket/two", pattern(150_000), sseC(KEY));

  const etags = [one, two].map(({ headers }) => headers["etag"]);
  assert.match(etags[0] ?? "", /^"[0-9a-f]{32}"$/);
  assert.equal(new Set([...etags, `"${md5(pattern(150_000))}"`]).size, 3);
});

test("conditions are about the ETag that was answered", async (t) => {
  const s3 = await startServer(t);
  const { headers } = await s3.put("/bucket/key", "bytes", sseC(KEY));
  const etag = headers["etag"] ?? "";
  const get = (more: Record<string, string>) => s3.get("/bucket/key", { ...sseC(KEY), ...more });

  assertBody(await get({ "if-match": etag }), "bytes");
  assert.equal((await get({ "if-none-match": etag })).status, 304);
  assertRefused(await get({ "if-match": '"0"' }), 412, "PreconditionFailed");
  const again = await s3.put("/bucket/key", "other", { ...sseC(OTHER_KEY), "if-match": etag });
  assert.equal(again.status, 200);
  assertBody(await s3.get("/bucket/key", sseC(OTHER_KEY)), "other");
});

test("a wrong Content-MD5 or checksum of an encrypted object is refused, and a right one taken", async (t) => {
  const s3 = await startServer(t);
  const bytes = pattern(150_000);
  const right = createHash("md5").update(bytes).digest("base64");
  const wrong = createHash("md5").update("").digest("base64");
  const put = (headers: Record<string, string>) =>
    s3.put("/bucket/key", bytes, { ...sseC(KEY), ...headers });

  assertRefused(await put({ "content-md5": wrong }), 400, "BadDigest");
  assertRefused(await put({ "x-amz-checksum-crc32": "AAAAAA==" }), 400, "BadDigest");
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  assert.equal((await put({ "content-md5": right })).status, 200);
});

test("a checksum is of the bytes in the clear and comes along when it is asked for", async (t) => {
  const s3 = await startServer(t);
  const bytes = pattern(150_000);
  const sha256 = createHash("sha256").update(bytes).digest("base64");
  await s3.put("/bucket/key", bytes, { ...sseC(KEY), "x-amz-checksum-sha256": sha256 });

  const reply = await s3.get("/bucket/key", { ...sseC(KEY), "x-amz-checksum-mode": "ENABLED" });

  assert.equal(reply.headers["x-amz-checksum-sha256"], sha256);
});

test("a body in signed chunks is encrypted as well", async (t) => {
  const s3 = await startServer(t);
  const bytes = pattern(150_000);

  const put = await s3.request({
    ...{ method: "PUT", path: "/bucket/key", body: bytes, headers: sseC(KEY) },
    sign: { mode: "signed", chunkBytes: 70_000 },
  });

  assert.equal(put.status, 200, put.text);
  assertBody(await s3.get("/bucket/key", sseC(KEY)), bytes);
});

test("a presigned URL may carry the key in its query or leave it to the headers", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", sseC(KEY));
  const sign = { presignedSeconds: 60 };

  const inHeaders = await s3.request({ path: "/bucket/key", headers: sseC(KEY), sign });
  const inQuery = await s3.request({ path: "/bucket/key", query: sseC(KEY), sign });
  const nowhere = await s3.request({ path: "/bucket/key", sign });

  assertBody(inHeaders, "bytes");
  assertBody(inQuery, "bytes");
  assertEncrypted(inQuery, KEY);
  assertRefused(nowhere, 400, "InvalidRequest");
});

test("GetObjectAttributes takes the key, and says nothing of the encryption", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), sseC(KEY));
  const get = (headers: Record<string, string>) =>
    s3.get("/bucket/key?attributes", { ...headers, "x-amz-object-attributes": "ObjectSize,ETag" });

  const reply = await get(sseC(KEY));

  assert.equal(only(reply.text, "ObjectSize"), "150000");
  assertEncrypted(reply, "none");
  assertRefused(await get({}), 400, "InvalidRequest");
  assertRefused(await get(sseC(OTHER_KEY)), 403, "AccessDenied");
  await s3.put("/bucket/key", "bytes");
  assertRefused(await get(sseC(KEY)), 400, "InvalidRequest");
});

test("tags, lists, ACLs and deletes need no key", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), sseC(KEY));
  const tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";

  assert.equal((await s3.put("/bucket/key?tagging", tagging)).status, 200);
  assert.deepEqual(texts((await s3.get("/bucket/key?tagging")).text, "Value"), ["1"]);
  assert.equal((await s3.get("/bucket/key?acl")).status, 200);
  assert.deepEqual(texts((await s3.get("/bucket")).text, "Size"), ["150000"]);
  const got = await s3.get("/bucket/key", sseC(KEY));
  assert.equal(got.headers["x-amz-tagging-count"], "1");
  assertBody(got, pattern(150_000));
  assert.equal((await s3.request({ method: "DELETE", path: "/bucket/key" })).status, 204);
  assertRefused(await s3.get("/bucket/key", sseC(KEY)), 404, "NoSuchKey");
});

for (const size of SIZES) {
  test(`RenameObject of ${size} bytes needs no key and keeps the encryption`, async (t) => {
    const s3 = await startServer(t);
    const put = await s3.put("/bucket/old", pattern(size), sseC(KEY));

    const renamed = await s3.put("/bucket/new?renameObject", "", {
      "x-amz-rename-source": "bucket/old",
    });

    assert.equal(renamed.status, 200, renamed.text);
    const got = await s3.get("/bucket/new", sseC(KEY));
    assertBody(got, pattern(size));
    assert.equal(got.headers["etag"], put.headers["etag"]);
    assertEncrypted(got, KEY);
    assertRefused(await s3.get("/bucket/new"), 400, "InvalidRequest");
  });
}

test("each version has the encryption it was written with", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const put = async (body: string, headers: Record<string, string>) => {
    const reply = await s3.put("/bucket/key", body, headers);
    const versionId = reply.headers["x-amz-version-id"];
    return async (more: Record<string, string>) =>
      await s3.get(`/bucket/key?versionId=${versionId}`, more);
  };
  const first = await put(pattern(150_000), sseC(KEY));
  const second = await put("small", sseC(OTHER_KEY));
  const third = await put(pattern(149_999), SSE_S3);
  const fourth = await put("plain", {});

  assertBody(await first(sseC(KEY)), pattern(150_000));
  assertBody(await second(sseC(OTHER_KEY)), "small");
  assertBody(await third({}), pattern(149_999));
  assertEncrypted(await third({}), "SSE-S3");
  assertBody(await fourth({}), "plain");
  assertEncrypted(await fourth({}), "none");
  assertRefused(await first(sseC(OTHER_KEY)), 403, "AccessDenied");
  assertRefused(await second({}), 400, "InvalidRequest");
  assertRefused(await third(sseC(KEY)), 400, "InvalidRequest");
  assertRefused(await fourth(sseC(KEY)), 400, "InvalidRequest");
});
