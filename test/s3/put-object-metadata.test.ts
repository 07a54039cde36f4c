import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const SYSTEM = {
  "cache-control": "max-age=60",
  "content-disposition": 'attachment; filename="a b.txt"',
  "content-encoding": "gzip",
  "content-language": "de, en",
  "content-type": "text/plain; charset=utf-8",
  expires: "Thu, 01 Dec 1994 16:00:00 GMT",
};

test("PutObject keeps the system metadata, and reads give it back as it was", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/key", "bytes", SYSTEM);

  for (const method of ["GET", "HEAD"]) {
    const { headers } = await s3.request({ method, path: "/bucket/key" });
    for (const [name, value] of Object.entries(SYSTEM)) assert.equal(headers[name], value);
  }
});

test("PutObject keeps an Expires that is no date", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/key", "bytes", { expires: "never" });

  assert.equal((await s3.get("/bucket/key")).headers["expires"], "never");
});

test("PutObject does not keep aws-chunked of Content-Encoding", async (t) => {
  const s3 = await startServer(t);
  const ask = { method: "PUT", body: "bytes", sign: { mode: "signed" } } as const;

  await s3.request({ ...ask, path: "/bucket/a" });
  await s3.request({
    ...ask,
    path: "/bucket/b",
    headers: { "content-encoding": "aws-chunked, gzip" },
  });

  assert.equal((await s3.get("/bucket/a")).headers["content-encoding"], undefined);
  assert.equal((await s3.get("/bucket/b")).headers["content-encoding"], "gzip");
});

test("PutObject keeps user metadata under lower-case names", async (t) => {
  const s3 = await startServer(t);
  const headers = { "X-Amz-Meta-Camera": "M 10", "x-amz-meta-empty": "", "x-amz-meta-a.b_c": "1" };

  await s3.put("/bucket/key", "bytes", headers);

  const got = (await s3.get("/bucket/key")).headers;
  assert.equal(got["x-amz-meta-camera"], "M 10");
  assert.equal(got["x-amz-meta-empty"], "");
  assert.equal(got["x-amz-meta-a.b_c"], "1");
});

for (const name of ["__proto__", "constructor", "toString"]) {
  test(`PutObject keeps user metadata that is called ${name}`, async (t) => {
    const s3 = await startServer(t);
    const headers = { [`x-amz-meta-${name}`]: "1" };

    await s3.put("/bucket/key", "bytes", headers);

    assert.equal((await s3.get("/bucket/key")).headers[`x-amz-meta-${name.toLowerCase()}`], "1");
  });
}

test("PutObject joins user metadata that is sent twice by a comma", async (t) => {
  const s3 = await startServer(t);

  await s3.request({
    ...{ method: "PUT", path: "/bucket/key", body: "bytes", headers: { "x-amz-meta-a": "1,2" } },
    unsigned: { "x-amz-meta-a": ["1", "2"] },
  });

  assert.equal((await s3.get("/bucket/key")).headers["x-amz-meta-a"], "1,2");
});

test("PutObject gives back metadata beyond ASCII in the form of RFC 2047", async (t) => {
  const s3 = await startServer(t);
  const raw = Buffer.from("café 😀").toString("latin1");

  await s3.put("/bucket/key", "bytes", { "x-amz-meta-name": raw });

  const encoded = Buffer.from("café 😀").toString("base64");
  assert.equal((await s3.get("/bucket/key")).headers["x-amz-meta-name"], `=?UTF-8?B?${encoded}?=`);
});

test("PutObject keeps what metadata in the form of RFC 2047 says when it is ASCII", async (t) => {
  const s3 = await startServer(t);
  const sent = ["=?UTF-8?B?YWJj?=", "=?UTF-8?Q?a_b=3Dc?=", "=?UTF-8?B?=GGG?=", "=?x?Q?a?=", "=?"];
  const said = ["abc", "a b=c", "=?UTF-8?B?=GGG?=", "=?x?Q?a?=", "=?"];

  for (const [at, value] of sent.entries()) {
    await s3.put("/bucket/key", "", { "x-amz-meta-name": value });
    assert.equal((await s3.get("/bucket/key")).headers["x-amz-meta-name"], said[at]);
  }
});

test("PutObject gives back metadata that came in the form of RFC 2047 as it was", async (t) => {
  const s3 = await startServer(t);
  const value = `=?UTF-8?B?${Buffer.from("café").toString("base64")}?=`;

  await s3.put("/bucket/key", "bytes", { "x-amz-meta-name": value });

  assert.equal((await s3.get("/bucket/key")).headers["x-amz-meta-name"], value);
});

test("PutObject gives back system metadata beyond ASCII as the UTF-8 that it was", async (t) => {
  const s3 = await startServer(t);
  const raw = Buffer.from('attachment; filename="naïve.txt"').toString("latin1");

  await s3.put("/bucket/key", "bytes", { "content-disposition": raw });

  assert.equal((await s3.get("/bucket/key")).headers["content-disposition"], raw);
});

test("PutObject takes 2 KB of user metadata and refuses a byte more with MetadataTooLarge", async (t) => {
  const s3 = await startServer(t);
  const headers = (bytes: number) => ({
    "x-amz-meta-ab": "v".repeat(1_000),
    "x-amz-meta-c": "v".repeat(bytes - 1_003),
  });

  assert.equal((await s3.put("/bucket/key", "first", headers(2_048))).status, 200);
  const reply = await s3.put("/bucket/key", "second", headers(2_049));

  assertRefused(reply, 400, "MetadataTooLarge");
  assert.equal(only(reply.text, "Size"), "2049");
  assert.equal(only(reply.text, "MaxSizeAllowed"), "2048");
  assert.equal((await s3.get("/bucket/key")).text, "first");
});

test("PutObject counts user metadata in bytes of UTF-8", async (t) => {
  const s3 = await startServer(t);
  const value = Buffer.from("é".repeat(1_024)).toString("latin1");

  const reply = await s3.put("/bucket/key", "bytes", { "x-amz-meta-a": value });

  assertRefused(reply, 400, "MetadataTooLarge");
});

test("PutObject counts the tags of x-amz-tagging where reads can see them", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/key", "bytes", { "x-amz-tagging": "a=1&b=x%20y&c" });

  assert.equal((await s3.get("/bucket/key")).headers["x-amz-tagging-count"], "3");
});

test("PutObject takes an x-amz-tagging that ends with an ampersand, or has no tags at all", async (t) => {
  const s3 = await startServer(t);

  await s3.put("/bucket/one", "bytes", { "x-amz-tagging": "a=1&" });
  await s3.put("/bucket/none", "bytes", { "x-amz-tagging": "&" });

  assert.equal((await s3.get("/bucket/one")).headers["x-amz-tagging-count"], "1");
  assert.equal((await s3.get("/bucket/none")).headers["x-amz-tagging-count"], undefined);
});

const ELEVEN = Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&");
const TAGS = [
  { why: "an eleventh tag", value: ELEVEN, code: "BadRequest" },
  { why: "a repeated tag", value: "a=1&a=2", code: "InvalidArgument" },
  { why: "a tag key of AWS's own", value: "AWS%3Aa=1", code: "InvalidTag" },
  { why: "a tag without a key", value: "=1", code: "InvalidArgument" },
  { why: "tags with a comma between them", value: "a=1,b=2", code: "InvalidArgument" },
  { why: "a key of 129 characters", value: `${"k".repeat(129)}=1`, code: "InvalidTag" },
  { why: "a value of 257 characters", value: `a=${"v".repeat(257)}`, code: "InvalidTag" },
  { why: "a character that tags cannot have", value: "a=%3C", code: "InvalidTag" },
  { why: "a tag that is not percent-encoded UTF-8", value: "a=%FF", code: "InvalidArgument" },
];
for (const { why, value, code } of TAGS) {
  test(`PutObject refuses ${why} with ${code} and stores nothing`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.put("/bucket/key", "bytes", { "x-amz-tagging": value }), 400, code);
    assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
  });
}
