import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadWhole } from "#test/s3/multipart.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const BODY = "0123456789abcdefghij";
/** What each header asks of BODY: first and last byte of what is answered. */
const SATISFIED: readonly (readonly [range: string, first: number, last: number])[] = [
  ["bytes=0-0", 0, 0],
  ["bytes=0-9", 0, 9],
  ["bytes=3-5", 3, 5],
  ["bytes=19-19", 19, 19],
  ["bytes=10-", 10, 19],
  ["bytes=0-", 0, 19],
  ["bytes=0-19", 0, 19],
  ["bytes=18-100", 18, 19],
  ["bytes=18-99999999999999999999", 18, 19],
  ["bytes=-1", 19, 19],
  ["bytes=-20", 0, 19],
  ["bytes=-21", 0, 19],
];
for (const [range, first, last] of SATISFIED) {
  test(`GetObject answers ${range} of 20 bytes with 206 and bytes ${first} to ${last}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", BODY);

    const { status, text, headers } = await s3.get("/bucket/key", { range });

    assert.equal(status, 206);
    assert.equal(text, BODY.slice(first, last + 1));
    assert.equal(headers["content-range"], `bytes ${first}-${last}/20`);
    assert.equal(headers["content-length"], String(last + 1 - first));
  });
}

for (const range of ["bytes=20-", "bytes=20-25", "bytes=-0", "bytes=9999999999-"]) {
  test(`GetObject refuses ${range} of 20 bytes with InvalidRange`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", BODY);

    const reply = await s3.get("/bucket/key", { range });

    assertRefused(reply, 416, "InvalidRange");
    assert.equal(reply.headers["content-range"], "bytes */20");
    assert.equal(only(reply.text, "RangeRequested"), range);
    assert.equal(only(reply.text, "ActualObjectSize"), "20");
  });
}

test("GetObject answers the last bytes of an empty object with all of it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "");

  const { status, text, headers } = await s3.get("/bucket/key", { range: "bytes=-8" });

  assert.deepEqual([status, text, headers["content-length"]], [200, "", "0"]);
  assert.equal(headers["content-range"], undefined);
});

for (const range of ["bytes=0-", "bytes=0-0", "bytes=-0"]) {
  test(`GetObject refuses ${range} of an empty object with InvalidRange`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "");

    assertRefused(await s3.get("/bucket/key", { range }), 416, "InvalidRange");
  });
}

const IGNORED = [
  "bytes=",
  "bytes=-",
  "bytes=a-b",
  "bytes=5-3",
  "bytes=1",
  "items=0-1",
  "0-1",
  "bytes=0-1,3-4",
];
for (const range of IGNORED) {
  test(`GetObject ignores the malformed range ${range} and answers the whole`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", BODY);

    const { status, text, headers } = await s3.get("/bucket/key", { range });

    assert.equal(status, 200);
    assert.equal(text, BODY);
    assert.equal(headers["content-range"], undefined);
  });
}

test("GetObject answers every range of an object in parts, whatever parts it crosses", async (t) => {
  const s3 = await startServer(t);
  await uploadWhole(s3, "/bucket/key", ["01234", "567890", "abcdefg", "h"]);
  const whole = "01234567890abcdefgh";

  for (let first = 0; first < whole.length; first += 2) {
    for (let last = first; last < whole.length; last += 3) {
      const { text } = await s3.get("/bucket/key", { range: `bytes=${first}-${last}` });
      assert.equal(text, whole.slice(first, last + 1));
    }
  }
});

/** Of an object of BODY that was put at 03:04:05.678. */
const IF_RANGE: readonly (readonly [ifRange: string, status: 200 | 206])[] = [
  ["ETAG", 206],
  ["bare ETAG", 206],
  ["weak ETAG", 200],
  ['"another"', 200],
  ["Fri, 02 Jan 2026 03:04:05 GMT", 206],
  ["Fri, 02 Jan 2026 03:04:06 GMT", 200],
  ["Fri, 02 Jan 2026 03:04:04 GMT", 200],
  ["yesterday", 200],
  ["", 200],
];
for (const [shown, status] of IF_RANGE) {
  test(`GetObject and HeadObject answer a range with If-Range: ${shown} with ${status}`, async (t) => {
    const s3 = await startServer(t);
    const etag = (await s3.put("/bucket/key", BODY)).headers["etag"] ?? "";
    const forms: Readonly<Record<string, string>> = {
      ETAG: etag,
      "bare ETAG": etag.replaceAll('"', ""),
      "weak ETAG": `W/${etag}`,
    };
    const headers = { range: "bytes=5-9", "if-range": forms[shown] ?? shown };

    const got = await s3.get("/bucket/key", headers);
    const head = await s3.request({ method: "HEAD", path: "/bucket/key", headers });

    assert.deepEqual([got.status, head.status], [status, status]);
    assert.equal(got.text, status === 206 ? BODY.slice(5, 10) : BODY);
  });
}

test("an If-Range that does not hold makes even a range beyond the end the whole", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", BODY);
  const range = { range: "bytes=100-" };

  assert.equal((await s3.get("/bucket/key", { ...range, "if-range": '"old"' })).status, 200);
  assertRefused(await s3.get("/bucket/key", range), 416, "InvalidRange");
});

test("GetObject holds conditions before ranges", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", BODY);

  const reply = await s3.get("/bucket/key", { range: "bytes=99-", "if-match": '"other"' });

  assertRefused(reply, 412, "PreconditionFailed");
});
