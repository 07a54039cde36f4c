import assert from "node:assert/strict";
import { test } from "node:test";
import { startUpload } from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

/** Of "123456789", which every test here puts at 03:04:05.678. */
const SAME = '"25f9e794323b453885f5181f1b624d0b"';
const OTHER = '"00000000000000000000000000000000"';
const BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT";
const AFTER = "Fri, 02 Jan 2026 03:04:06 GMT";
const IF = "x-amz-copy-source-if-";

type Case = readonly [headers: Readonly<Record<string, string>>, failed?: string];

const SOURCE: readonly Case[] = [
  [{ [`${IF}match`]: SAME }],
  [{ [`${IF}match`]: OTHER }, "x-amz-copy-source-If-Match"],
  [{ [`${IF}none-match`]: OTHER }],
  [{ [`${IF}none-match`]: SAME }, "x-amz-copy-source-If-None-Match"],
  [{ [`${IF}modified-since`]: BEFORE }],
  [{ [`${IF}modified-since`]: AFTER }, "x-amz-copy-source-If-Modified-Since"],
  [{ [`${IF}unmodified-since`]: AFTER }],
  [{ [`${IF}unmodified-since`]: BEFORE }, "x-amz-copy-source-If-Unmodified-Since"],
  [{ [`${IF}match`]: SAME, [`${IF}unmodified-since`]: BEFORE }],
  [
    { [`${IF}none-match`]: SAME, [`${IF}modified-since`]: BEFORE },
    "x-amz-copy-source-If-None-Match",
  ],
];
for (const [headers, failed] of SOURCE) {
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const outcome = failed === undefined ? "copies" : "refuses with PreconditionFailed";
  test(`CopyObject with ${shown.join(" and ")} ${outcome}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");
    s3.clock.move(1_000);

    const reply = await s3.put("/bucket/copy", "", {
      "x-amz-copy-source": "bucket/key",
      ...headers,
    });

    if (failed === undefined) {
      assert.equal(reply.status, 200);
      return;
    }
    assertRefused(reply, 412, "PreconditionFailed");
    assert.equal(only(reply.text, "Condition"), failed);
    assertRefused(await s3.get("/bucket/copy"), 404, "NoSuchKey");
  });
}

const COPY = { "x-amz-copy-source": "bucket/key" };

test("CopyObject and UploadPartCopy take no heed of a modified-since that is yet to come", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");
  const uploadId = await startUpload(s3, "/bucket/parts");
  const headers = { ...COPY, [`${IF}modified-since`]: AFTER };

  const copied = await s3.put("/bucket/copy", "", headers);
  const query = { partNumber: "1", uploadId };
  const part = await s3.request({ method: "PUT", path: "/bucket/parts", query, headers });

  assert.deepEqual([copied.status, part.status], [200, 200]);
});

test("CopyObject with If-None-Match: * copies to a key that is missing and to no other", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");
  const headers = { ...COPY, "if-none-match": "*" };

  assert.equal((await s3.put("/bucket/copy", "", headers)).status, 200);
  await s3.put("/bucket/copy", "before");
  const reply = await s3.put("/bucket/copy", "", headers);

  assertRefused(reply, 412, "PreconditionFailed");
  assert.equal(only(reply.text, "Condition"), "If-None-Match");
  assert.equal((await s3.get("/bucket/copy")).text, "before");
});

test("CopyObject with If-Match replaces the object of that ETag and no other", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "123456789");
  const etag = (await s3.put("/bucket/copy", "before")).headers["etag"] ?? "";

  const refused = await s3.put("/bucket/copy", "", { ...COPY, "if-match": OTHER });
  const copied = await s3.put("/bucket/copy", "", { ...COPY, "if-match": etag });

  assertRefused(refused, 412, "PreconditionFailed");
  assert.equal(copied.status, 200);
  assert.equal((await s3.get("/bucket/copy")).text, "123456789");
});

const REFUSED = [
  { headers: { "if-match": OTHER }, status: 404, code: "NoSuchKey" },
  { headers: { "if-none-match": OTHER }, status: 400, code: "InvalidRequest" },
  { headers: { "if-modified-since": AFTER }, status: 501, code: "NotImplemented" },
];
for (const { headers, status, code } of REFUSED) {
  test(`CopyObject to a missing key refuses ${Object.keys(headers)} with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "123456789");

    assertRefused(await s3.put("/bucket/copy", "", { ...COPY, ...headers }), status, code);
    assertRefused(await s3.get("/bucket/copy"), 404, "NoSuchKey");
  });
}
