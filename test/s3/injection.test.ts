/** Text of one client's that comes out in another's answer: it must stay text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readXml } from "#base/xml.ts";
import { assertRefused, texts } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const PRESIGNED = { presignedSeconds: 60 };
const BREAKS = ["\r\n", "\n", "\r", "\0", "\x7f", "\x1b"];

test("Metadata in a presigned URL whose name no header can have is refused with InvalidArgument", async (t) => {
  const s3 = await startServer(t);

  for (const bad of [...BREAKS, " ", ":", "(", "é", "日"]) {
    const name = encodeURIComponent(`x-amz-meta-a${bad}set-cookie`);
    for (const [method, path] of [
      ["PUT", "/bucket/key"],
      ["POST", "/bucket/key?uploads"],
    ] as const) {
      const reply = await s3.request({ method, path, query: `${name}=1`, sign: PRESIGNED });
      assertRefused(reply, 400, "InvalidArgument");
    }
  }
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});

test("a presigned URL may have the conditions of a write in its query", async (t) => {
  const s3 = await startServer(t);
  const put = async (query: Readonly<Record<string, string>>) =>
    await s3.request({ method: "PUT", path: "/bucket/new", query, body: "x", sign: PRESIGNED });

  const first = await put({ "If-None-Match": "*" });
  const second = await put({ "If-None-Match": "*" });
  const third = await put({ "If-Match": '"other"' });

  assert.deepEqual([first.status, second.status, third.status], [200, 412, 412]);
});

test("Metadata in a presigned URL whose value no header can hold comes out encoded", async (t) => {
  const s3 = await startServer(t);

  for (const [at, bad] of BREAKS.entries()) {
    const query = { "x-amz-meta-a": `1${bad}set-cookie: a=b` };
    const put = await s3.request({ method: "PUT", path: `/bucket/${at}`, query, sign: PRESIGNED });
    assert.equal(put.status, 200, put.text);
    const { headers } = await s3.get(`/bucket/${at}`);
    const encoded = Buffer.from(query["x-amz-meta-a"]).toString("base64");
    assert.equal(headers["x-amz-meta-a"], `=?UTF-8?B?${encoded}?=`);
    assert.equal(headers["set-cookie"], undefined);
  }
});

test("Overrides of headers that no header can hold are refused with InvalidArgument", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");

  for (const bad of BREAKS) {
    for (const name of ["content-type", "content-disposition", "cache-control", "expires"]) {
      const query = { [`response-${name}`]: `a${bad}set-cookie: a=b` };
      assertRefused(await s3.request({ path: "/bucket/key", query }), 400, "InvalidArgument");
    }
  }
});

test("What a CORS answer repeats of a request and of the rules stays within its header", async (t) => {
  const s3 = await startServer(t);
  const rule = (inner: string) =>
    `<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>${inner}</CORSRule></CORSConfiguration>`;
  for (const bad of ["a&#13;&#10;set-cookie: a", "a b", "a:b"]) {
    const inner = `<AllowedOrigin>*</AllowedOrigin><ExposeHeader>${bad}</ExposeHeader>`;
    assertRefused(await s3.put("/bucket?cors", rule(inner)), 400, "InvalidRequest");
  }
  const origin = "<AllowedOrigin>https://*</AllowedOrigin><AllowedHeader>*</AllowedHeader>";
  assert.equal((await s3.put("/bucket?cors", rule(origin))).status, 200);

  const asked = { origin: 'https://é"<x>', "access-control-request-method": "GET" };
  const headers = { ...asked, "access-control-request-headers": 'x-é, "y' };
  const reply = await s3.request({ method: "OPTIONS", path: "/bucket/key", headers, sign: false });
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["access-control-allow-origin"], asked.origin);
  assert.equal(reply.headers["set-cookie"], undefined);
});

const KEYS = [
  `<&"'>`,
  "</Key><Key>forged</Key>",
  "]]>",
  "<!--",
  "&amp;",
  "\u2028 \u{1f600}",
  "a\tb\nc",
];
const CONTROLS = ["\r", "\u0001", "\u001b[31m", "\ufffe"];

test("Keys that look like XML are text in every listing and in every refusal", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", KEYS);
  for (const key of KEYS) {
    await s3.request({ method: "POST", path: `/bucket/${encodeURIComponent(key)}?uploads` });
  }

  const sorted = [...KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const query of ["", "?list-type=2", "?versions", "?uploads"]) {
    const { text } = await s3.get(`/bucket${query}`);
    assert.ok(readXml(text), query);
    assert.deepEqual(texts(text, "Key"), sorted, query);
  }
  for (const key of KEYS) {
    const given = encodeURIComponent(key);
    for (const name of ["prefix", "delimiter", "marker", "start-after"]) {
      const { text } = await s3.get(`/bucket?list-type=2&${name}=${given}`);
      assert.ok(readXml(text), `${name} ${given}`);
    }
    const refused = await s3.get(`/bucket/missing-${given}`);
    assertRefused(refused, 404, "NoSuchKey");
    assert.deepEqual(texts(refused.text, "Key"), [`missing-${key}`]);
    assert.ok(readXml(refused.text));
  }
});

test("Control characters in keys are references in XML, never themselves", async (t) => {
  const s3 = await startServer(t);
  await s3.fill("bucket", CONTROLS);

  for (const query of ["", "?list-type=2", "?versions"]) {
    const { text } = await s3.get(`/bucket${query}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    assert.doesNotMatch(text, /[\0-\x08\x0b-\x1f\ufffe\uffff]/, query);
    assert.deepEqual(texts(text, "Key").sort(), [...CONTROLS].sort());
  }
});
