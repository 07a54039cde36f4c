/** SSE-S3: the server's own key, asked for by a header. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { assertBody, assertEncrypted, KEY, pattern, SIZES, SSE_S3, sseC } from "#test/s3/sse.ts";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

for (const size of SIZES) {
  test(`an object of ${size} bytes under SSE-S3 is read without a key, and its ETag is the MD5`, async (t) => {
    const s3 = await startServer(t);
    const bytes = pattern(size);

    const put = await s3.put("/bucket/key", bytes, SSE_S3);
    const got = await s3.get("/bucket/key");
    const head = await s3.request({ method: "HEAD", path: "/bucket/key" });

    assertBody(got, bytes);
    const md5 = createHash("md5").update(bytes).digest("hex");
    for (const reply of [put, got, head]) {
      assertEncrypted(reply, "SSE-S3");
      assert.equal(reply.headers["etag"], `"${md5}"`);
    }
    assertRefused(await s3.get("/bucket/key", sseC(KEY)), 400, "InvalidRequest");
  });
}

test("a range over SSE-S3 is those bytes", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), SSE_S3);

  const reply = await s3.get("/bucket/key", { range: "bytes=65000-140000" });

  assertBody(reply, pattern(150_000).slice(65_000, 140_001));
  assertEncrypted(reply, "SSE-S3");
});

test("a copy does not inherit SSE-S3: it has what it asks for", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), SSE_S3);
  const source = { "x-amz-copy-source": "bucket/key" };

  const plain = await s3.put("/bucket/plain", "", source);
  const asked = await s3.put("/bucket/asked", "", { ...source, ...SSE_S3 });

  assertEncrypted(plain, "none");
  assertEncrypted(asked, "SSE-S3");
  for (const path of ["/bucket/plain", "/bucket/asked"]) {
    assertBody(await s3.get(path), pattern(150_000));
  }
});

test("an object that is rewritten without a header is in the clear again", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "first", SSE_S3);

  assertEncrypted(await s3.put("/bucket/key", "second"), "none");
  assertEncrypted(await s3.get("/bucket/key"), "none");
});

test("tags and a rename leave SSE-S3 as it was", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/old", "small", SSE_S3);
  await s3.put("/bucket/old?tagging", "<Tagging><TagSet/></Tagging>");
  await s3.put("/bucket/new?renameObject", "", { "x-amz-rename-source": "bucket/old" });

  const got = await s3.get("/bucket/new");

  assertBody(got, "small");
  assertEncrypted(got, "SSE-S3");
});
