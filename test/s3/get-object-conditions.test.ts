import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

/** Of "123456789", which every test here puts at 03:04:05.678. */
const SAME = '"25f9e794323b453885f5181f1b624d0b"';
const OTHER = '"00000000000000000000000000000000"';
const BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT";
const THEN = "Fri, 02 Jan 2026 03:04:05 GMT";
const AFTER = "Fri, 02 Jan 2026 03:04:06 GMT";

type Case = readonly [headers: Readonly<Record<string, string>>, status: 200 | 304 | 412];

const ALONE: readonly Case[] = [
  [{ "if-match": SAME }, 200],
  [{ "if-match": "25f9e794323b453885f5181f1b624d0b" }, 200],
  [{ "if-match": `${OTHER}, ${SAME}` }, 200],
  [{ "if-match": "*" }, 200],
  [{ "if-match": OTHER }, 412],
  [{ "if-none-match": OTHER }, 200],
  [{ "if-none-match": SAME }, 304],
  [{ "if-none-match": `W/${SAME}` }, 304],
  [{ "if-none-match": `${OTHER},${SAME}` }, 304],
  [{ "if-none-match": "*" }, 304],
  [{ "if-modified-since": BEFORE }, 200],
  [{ "if-modified-since": THEN }, 304],
  [{ "if-modified-since": AFTER }, 304],
  [{ "if-modified-since": "yesterday" }, 200],
  [{ "if-unmodified-since": BEFORE }, 412],
  [{ "if-unmodified-since": THEN }, 200],
  [{ "if-unmodified-since": AFTER }, 200],
  [{ "if-unmodified-since": "yesterday" }, 200],
];

/** RFC 9110, section 13.2.2: an ETag outweighs a time, and a 412 is found before a 304. */
const TOGETHER: readonly Case[] = [
  [{ "if-match": SAME, "if-unmodified-since": BEFORE }, 200],
  [{ "if-match": OTHER, "if-unmodified-since": AFTER }, 412],
  [{ "if-none-match": OTHER, "if-modified-since": AFTER }, 200],
  [{ "if-none-match": SAME, "if-modified-since": BEFORE }, 304],
  [{ "if-match": SAME, "if-none-match": SAME }, 304],
  [{ "if-match": OTHER, "if-none-match": SAME }, 412],
  [{ "if-unmodified-since": BEFORE, "if-none-match": SAME }, 412],
  [{ "if-unmodified-since": AFTER, "if-modified-since": AFTER }, 304],
];

for (const [headers, status] of [...ALONE, ...TOGETHER]) {
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  test(`GetObject and HeadObject answer ${status} to ${shown.join(" and ")}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");
    s3.clock.move(1_000);

    const got = await s3.get("/bucket/key", headers);
    const head = await s3.request({ method: "HEAD", path: "/bucket/key", headers });

    assert.equal(got.status, status);
    assert.equal(head.status, status);
    if (status === 200) assert.equal(got.text, "123456789");
  });
}

test("GetObject and HeadObject take no heed of an If-Modified-Since that is yet to come", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");
  const headers = { "if-modified-since": AFTER };

  const got = await s3.get("/bucket/key", headers);
  const head = await s3.request({ method: "HEAD", path: "/bucket/key", headers });

  assert.deepEqual([got.status, head.status], [200, 200]);
});

test("GetObject answers 304 with ETag, Last-Modified and caching headers, and no body", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789", { "cache-control": "max-age=5", "content-type": "a/b" });

  const { bytes, headers } = await s3.get("/bucket/key", { "if-none-match": SAME });

  assert.equal(bytes.length, 0);
  assert.equal(headers["etag"], SAME);
  assert.equal(headers["last-modified"], THEN);
  assert.equal(headers["cache-control"], "max-age=5");
  assert.equal(headers["content-type"], undefined);
});

test("GetObject names the condition that failed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");

  const byTag = await s3.get("/bucket/key", { "if-match": OTHER });
  const byTime = await s3.get("/bucket/key", { "if-unmodified-since": BEFORE });

  assertRefused(byTag, 412, "PreconditionFailed");
  assert.equal(only(byTag.text, "Condition"), "If-Match");
  assert.equal(only(byTime.text, "Condition"), "If-Unmodified-Since");
});

test("GetObject with If-Match refuses a missing key with NoSuchKey", async (t) => {
  const s3 = await startServer(t);

  assertRefused(await s3.get("/bucket/key", { "if-match": SAME }), 404, "NoSuchKey");
});
