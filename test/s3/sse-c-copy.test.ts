/** CopyObject between objects in the clear, under a client's key and under the server's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { uploadUnder } from "#test/s3/multipart.ts";
import {
  assertBody,
  assertEncrypted,
  KEY,
  OTHER_KEY,
  pattern,
  SIZES,
  SSE_S3,
  sseC,
  type TestKey,
} from "#test/s3/sse.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Reply, startServer, type TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;
type How = TestKey | "SSE-S3" | "none";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

const WAYS: Readonly<Record<string, How>> = {
  "in the clear": "none",
  "under a key": KEY,
  "under another key": OTHER_KEY,
  "under SSE-S3": "SSE-S3",
};

/** Headers of a request that writes, of one that reads, and of one that copies from such an object. */
function writing(how: How): Headers {
  if (how === "none") return {};
  return how === "SSE-S3" ? SSE_S3 : sseC(how);
}

function reading(how: How): Headers {
  return typeof how === "string" ? {} : sseC(how);
}

function copying(how: How): Headers {
  return typeof how === "string" ? {} : sseC(how, "copy-source-");
}

async function copy(
  s3: TestServer,
  path: string,
  { source, ...headers }: Headers & { readonly source: string },
): Promise<Reply> {
  return await s3.put(path, "", { "x-amz-copy-source": source, ...headers });
}

for (const [from, source] of Object.entries(WAYS)) {
  for (const [to, target] of Object.entries(WAYS)) {
    test(`CopyObject from ${from} to ${to} keeps the bytes, of any size`, async (t) => {
      const s3 = await startServer(t);
      for (const size of SIZES) {
        const bytes = pattern(size);
        await s3.put("/bucket/key", bytes, { ...writing(source), "x-amz-meta-a": "1" });

        const headers = { ...copying(source), ...writing(target) };
        const reply = await copy(s3, "/bucket/copy", { source: "bucket/key", ...headers });

        assert.equal(reply.status, 200, reply.text);
        assertEncrypted(reply, target);
        const got = await s3.get("/bucket/copy", reading(target));
        assertBody(got, bytes);
        assert.equal(got.headers["etag"], only(reply.text, "ETag"));
        assert.equal(got.headers["x-amz-meta-a"], "1");
        assertEncrypted(got, target);
        const hidden = typeof target !== "string";
        if (hidden) assert.notEqual(got.headers["etag"], `"${md5(bytes)}"`);
        if (target === "none") assert.equal(got.headers["etag"], `"${md5(bytes)}"`);
        assertBody(await s3.get("/bucket/key", reading(source)), bytes);
      }
    });
  }
}

for (const [to, target] of Object.entries(WAYS)) {
  test(`CopyObject of an encrypted object in parts to ${to} keeps the bytes`, async (t) => {
    const s3 = await startServer(t);
    const bodies = [pattern(100_000), pattern(70_000), "end"];
    await uploadUnder(s3, "/bucket/key", { bodies, created: sseC(KEY), sent: sseC(KEY) });
    const headers = { ...copying(KEY), ...writing(target) };

    const reply = await copy(s3, "/bucket/copy", { source: "bucket/key", ...headers });

    assert.equal(reply.status, 200, reply.text);
    assertEncrypted(reply, target);
    await s3.request({ method: "DELETE", path: "/bucket/key" });
    const whole = bodies.join("");
    assertBody(await s3.get("/bucket/copy", reading(target)), whole);
    const range = { ...reading(target), range: "bytes=99990-170001" };
    assertBody(await s3.get("/bucket/copy", range), whole.slice(99_990, 170_002));
    if (target === OTHER_KEY) {
      assertRefused(await s3.get("/bucket/copy", sseC(KEY)), 403, "AccessDenied");
    }
  });
}

for (const size of SIZES) {
  test(`a copy of ${size} bytes onto itself changes the key, and the old one opens it no more`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", pattern(size), sseC(KEY));

    const headers = { ...copying(KEY), ...sseC(OTHER_KEY) };
    const reply = await copy(s3, "/bucket/key", { source: "bucket/key", ...headers });

    assert.equal(reply.status, 200, reply.text);
    assertBody(await s3.get("/bucket/key", sseC(OTHER_KEY)), pattern(size));
    assertRefused(await s3.get("/bucket/key", sseC(KEY)), 403, "AccessDenied");
  });
}

test("a copy onto itself may be about the encryption alone: to a key, to SSE-S3, to none", async (t) => {
  const s3 = await startServer(t);
  const bytes = pattern(150_000);
  await s3.put("/bucket/key", bytes);
  const source = "bucket/key";

  assertRefused(await copy(s3, "/bucket/key", { source }), 400, "InvalidRequest");
  const steps = [
    { headers: sseC(KEY), how: KEY },
    { headers: { ...copying(KEY), ...SSE_S3 }, how: "SSE-S3" },
    { headers: sseC(KEY), how: KEY },
    { headers: copying(KEY), how: "none" },
  ] as const;
  for (const { headers, how } of steps) {
    const reply = await copy(s3, "/bucket/key", { source, ...headers });
    assert.equal(reply.status, 200, reply.text);
    const got = await s3.get("/bucket/key", reading(how));
    assertEncrypted(got, how);
    assertBody(got, bytes);
  }
});

test("CopyObject of a version takes the key of that version", async (t) => {
  const s3 = await startServer(t);
  await s3.setVersioning("bucket", "Enabled");
  const first = await s3.put("/bucket/key", pattern(150_000), sseC(KEY));
  const versionId = first.headers["x-amz-version-id"] ?? "";
  await s3.put("/bucket/key", "newer", sseC(OTHER_KEY));
  const source = `bucket/key?versionId=${versionId}`;

  const right = await copy(s3, "/bucket/copy", { source, ...copying(KEY), ...sseC(OTHER_KEY) });
  const wrong = await copy(s3, "/bucket/other", { source, ...copying(OTHER_KEY) });

  assert.equal(right.headers["x-amz-copy-source-version-id"], versionId);
  assertBody(await s3.get("/bucket/copy", sseC(OTHER_KEY)), pattern(150_000));
  assertRefused(wrong, 403, "AccessDenied");
});

test("CopyObject refuses a source's key that is missing, another one, or out of place", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", pattern(150_000), sseC(KEY));
  await s3.put("/bucket/plain", "bytes");
  await s3.put("/bucket/server", "bytes", SSE_S3);
  const refused: readonly [Headers & { source: string }, number, string][] = [
    [{ source: "bucket/key" }, 400, "InvalidRequest"],
    [{ source: "bucket/key", ...sseC(KEY) }, 400, "InvalidRequest"],
    [{ source: "bucket/key", ...copying(OTHER_KEY) }, 403, "AccessDenied"],
    [{ source: "bucket/plain", ...copying(KEY) }, 400, "InvalidRequest"],
    [{ source: "bucket/server", ...copying(KEY) }, 400, "InvalidRequest"],
  ];

  for (const [headers, status, code] of refused) {
    assertRefused(await copy(s3, "/bucket/copy", headers), status, code);
  }
  assertRefused(await s3.get("/bucket/copy"), 404, "NoSuchKey");
});

test("conditions on an encrypted source hold, for who brings its key", async (t) => {
  const s3 = await startServer(t);
  const put = await s3.put("/bucket/key", "bytes", sseC(KEY));
  const etag = put.headers["etag"] ?? "";
  const source = { source: "bucket/key", ...copying(KEY) };

  const right = { ...source, "x-amz-copy-source-if-match": etag };
  const wrong = { ...source, "x-amz-copy-source-if-none-match": etag };

  assert.equal((await copy(s3, "/bucket/copy", right)).status, 200);
  assertRefused(await copy(s3, "/bucket/copy", wrong), 412, "PreconditionFailed");
});

for (const algorithm of ["CRC32", "SHA256"]) {
  for (const [to, target] of Object.entries(WAYS)) {
    test(`CopyObject to ${to} answers the ${algorithm} that is asked for of the bytes in the clear`, async (t) => {
      const s3 = await startServer(t);
      const asked = { "x-amz-checksum-algorithm": algorithm };
      await s3.put("/bucket/key", pattern(150_000), sseC(KEY));
      await s3.put("/bucket/plain", pattern(150_000));
      const plain = await copy(s3, "/bucket/one", { source: "bucket/plain", ...asked });

      const headers = { ...copying(KEY), ...writing(target), ...asked };
      const reply = await copy(s3, "/bucket/two", { source: "bucket/key", ...headers });

      const element = `Checksum${algorithm}`;
      assert.equal(only(reply.text, element), only(plain.text, element));
      assert.notEqual(only(reply.text, element), undefined);
    });
  }
}

test("tags are copied with an encrypted object, or replaced", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes", { ...sseC(KEY), "x-amz-tagging": "a=1" });
  const source = { source: "bucket/key", ...copying(KEY), ...sseC(OTHER_KEY) };

  await copy(s3, "/bucket/copy", source);
  await copy(s3, "/bucket/other", {
    ...source,
    ...{ "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "b=2&c=3" },
  });

  assert.equal(only((await s3.get("/bucket/copy?tagging")).text, "Key"), "a");
  const got = await s3.get("/bucket/other", sseC(OTHER_KEY));
  assert.equal(got.headers["x-amz-tagging-count"], "2");
});
