import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const RULE = `<CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>300</MaxAgeSeconds></CORSRule>`;
const CORS = (rules: string) => `<CORSConfiguration>${rules}</CORSConfiguration>`;
const ORIGIN = "https://app.example.com";

test("CORS rules are put, got and deleted", async (t) => {
  const s3 = await startServer(t);

  const put = await s3.put("/bucket?cors", CORS(RULE));
  const got = await s3.get("/bucket?cors");
  const deleted = await s3.request({ method: "DELETE", path: "/bucket?cors" });

  assert.deepEqual([put.status, got.status, deleted.status], [200, 200, 204]);
  assert.ok(got.text.includes(RULE), got.text);
  assertRefused(await s3.get("/bucket?cors"), 404, "NoSuchCORSConfiguration");
});

const REFUSED = [
  { why: "no rule", body: CORS(""), code: "MalformedXML" },
  { why: "an unknown method", body: CORS(RULE.replace("PUT", "PATCH")), code: "InvalidRequest" },
  { why: "two wildcards", body: CORS(RULE.replace("*.example", "*.*")), code: "InvalidRequest" },
  { why: "an age that is no number", body: CORS(RULE.replace("300", "-1")), code: "MalformedXML" },
];
for (const { why, body, code } of REFUSED) {
  test(`PutBucketCors refuses ${why} with ${code}`, async (t) => {
    const s3 = await startServer(t);

    assertRefused(await s3.put("/bucket?cors", body), 400, code);
  });
}

test("a preflight needs no signature and is answered by the first rule that allows it", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket?cors", CORS(RULE));
  const headers = {
    origin: ORIGIN,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "X-Amz-Date",
  };

  const reply = await s3.request({ method: "OPTIONS", path: "/bucket/key", headers, sign: false });

  assert.equal(reply.status, 200);
  assert.equal(reply.headers["access-control-allow-origin"], ORIGIN);
  assert.equal(reply.headers["access-control-allow-methods"], "PUT, GET");
  assert.equal(reply.headers["access-control-allow-headers"], "x-amz-date");
  assert.equal(reply.headers["access-control-max-age"], "300");
});

const NOT_ALLOWED = [
  { why: "another origin", origin: "https://example.org", method: "PUT" },
  { why: "another method", origin: ORIGIN, method: "DELETE" },
];
for (const { why, origin, method } of NOT_ALLOWED) {
  test(`a preflight of ${why} is refused`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket?cors", CORS(RULE));
    const headers = { origin, "access-control-request-method": method };

    const reply = await s3.request({ method: "OPTIONS", path: "/bucket/k", headers, sign: false });

    assertRefused(reply, 403, "AccessDenied");
  });
}

test("an answer to a page of another origin carries what its browser needs, a refusal too", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket?cors", CORS(RULE));

  const reply = await s3.request({ path: "/bucket/missing", headers: { origin: ORIGIN } });
  const other = await s3.request({ path: "/bucket/missing", headers: { origin: "https://x.org" } });

  assert.equal(reply.status, 404);
  assert.equal(reply.headers["access-control-allow-origin"], ORIGIN);
  assert.equal(reply.headers["access-control-expose-headers"], "ETag");
  assert.equal(other.headers["access-control-allow-origin"], undefined);
});
