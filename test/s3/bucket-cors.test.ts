import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketDocumentLaws } from "#test/s3/bucket-document.ts";
import { assertRefused, only } from "#test/s3/xml.ts";
import { startServer } from "#test/support/server.ts";

const RULE = (inner: string) => `<CORSRule>${inner}</CORSRule>`;
const FROM = (origin: string, method = "GET") =>
  `<AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>${method}</AllowedMethod>`;
const CORS = (rules: string) => `<CORSConfiguration>${rules}</CORSConfiguration>`;

bucketDocumentLaws({
  name: "BucketCors",
  query: "cors",
  root: "CORSConfiguration",
  put: ` ${RULE(`<AllowedMethod>GET</AllowedMethod>\n<AllowedOrigin>http://*.example.org</AllowedOrigin><ID>1</ID><MaxAgeSeconds>60</MaxAgeSeconds>`)}`,
  got: RULE(`<ID>1</ID>${FROM("http://*.example.org")}<MaxAgeSeconds>60</MaxAgeSeconds>`),
  other: RULE(FROM("*")),
  putStatus: 200,
  missing: "NoSuchCORSConfiguration",
  refused: [
    { why: "no rule", body: CORS(""), code: "MalformedXML" },
    { why: "101 rules", body: CORS(RULE(FROM("*")).repeat(101)), code: "InvalidRequest" },
    {
      why: "a rule without a method",
      body: CORS(RULE("<AllowedOrigin>*</AllowedOrigin>")),
      code: "MalformedXML",
    },
    {
      why: "a rule without an origin",
      body: CORS(RULE("<AllowedMethod>GET</AllowedMethod>")),
      code: "MalformedXML",
    },
    { why: "an unknown method", body: CORS(RULE(FROM("*", "PATCH"))), code: "InvalidRequest" },
    { why: "two wildcards", body: CORS(RULE(FROM("http://*.*"))), code: "InvalidRequest" },
    {
      why: "an age that is no number",
      body: CORS(RULE(`${FROM("*")}<MaxAgeSeconds>1s</MaxAgeSeconds>`)),
      code: "MalformedXML",
    },
    {
      why: "a header to expose that would break the answer's own",
      body: CORS(RULE(`${FROM("*")}<ExposeHeader>a&#10;b: c</ExposeHeader>`)),
      code: "InvalidRequest",
    },
  ],
});

/** What is wrong with a rule, in the words of AWS. */
const WRONG = [
  [FROM("*", ""), "Found unsupported HTTP method in CORS config. Unsupported method is "],
  [FROM("*", "get"), "Found unsupported HTTP method in CORS config. Unsupported method is get"],
  [FROM("*ex*.org"), 'AllowedOrigin "*ex*.org" can not have more than one wildcard.'],
  [
    `${FROM("*")}<AllowedHeader>x-*-*</AllowedHeader>`,
    'AllowedHeader "x-*-*" can not have more than one wildcard.',
  ],
  [
    `${FROM("*")}<AllowedHeader>x y</AllowedHeader>`,
    'AllowedHeader "x y" contains invalid character.',
  ],
  [
    `${FROM("*")}<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>x:y</ExposeHeader>`,
    'ExposeHeader "x:y" contains invalid character.',
  ],
  [
    `${FROM("*")}<ExposeHeader>x-amz-*</ExposeHeader>`,
    'ExposeHeader "x-amz-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
  ],
] as const;
for (const [rule, message] of WRONG) {
  test(`PutBucketCors says: ${message}`, async (t) => {
    const s3 = await startServer(t);

    const reply = await s3.put("/bucket?cors", CORS(RULE(rule)));

    assertRefused(reply, 400, "InvalidRequest");
    assert.equal(only(reply.text, "Message"), message);
  });
}

test("PutBucketCors takes an age below zero, which tells browsers not to remember, and names of nothing", async (t) => {
  const s3 = await startServer(t);
  const nothing = "<AllowedOrigin></AllowedOrigin><AllowedHeader></AllowedHeader>";
  const rule = `${FROM("*")}${nothing}<ExposeHeader></ExposeHeader><MaxAgeSeconds>-1</MaxAgeSeconds>`;

  assert.equal((await s3.put("/bucket?cors", CORS(RULE(rule)))).status, 200);
  const { headers } = await s3.get("/bucket/key", { origin: "https://a.org" });

  assert.equal(headers["access-control-max-age"], "-1");
  assert.equal(headers["access-control-expose-headers"], undefined);
});

test("an answer is for a page of another origin only as what the request asks leave for is allowed", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket?cors", RULES);
  const origin = "https://app.example.org";
  const asked = async (headers: Readonly<Record<string, string>>) =>
    (await s3.get("/bucket/key", { origin, ...headers })).headers["access-control-allow-origin"];

  const put = { "access-control-request-method": "PUT" };
  assert.equal(await asked(put), origin);
  assert.equal(await asked({}), undefined);
  assert.equal(await asked({ ...put, "access-control-request-headers": "X-Amz-Date" }), origin);
  assert.equal(await asked({ ...put, "access-control-request-headers": "x-other" }), undefined);
});

const RULES = CORS(
  RULE(
    `${FROM("https://app.example.org", "PUT")}<AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>`,
  ) +
    RULE(`${FROM("http://*.example.org")}<AllowedMethod>HEAD</AllowedMethod>`) +
    RULE(FROM("*", "DELETE")),
);

/** What a browser asks, and the Access-Control-Allow-Origin that it hears; undefined: refused. */
const PREFLIGHTS = [
  { origin: "https://app.example.org", method: "PUT", allowed: "https://app.example.org" },
  {
    origin: "https://app.example.org",
    method: "PUT",
    headers: "X-Amz-Meta-A, x-amz-date",
    allowed: "https://app.example.org",
  },
  { origin: "https://app.example.org", method: "PUT", headers: "content-type", allowed: undefined },
  { origin: "https://app.example.org.evil.org", method: "PUT", allowed: undefined },
  { origin: "http://a.example.org", method: "GET", allowed: "http://a.example.org" },
  { origin: "http://a.b.example.org", method: "HEAD", allowed: "http://a.b.example.org" },
  { origin: "http://example.org", method: "GET", allowed: undefined },
  { origin: "https://evil.org", method: "GET", allowed: undefined },
  { origin: "https://evil.org", method: "DELETE", allowed: "*" },
  { origin: "https://app.example.org", method: "POST", allowed: undefined },
];
for (const { origin, method, headers, allowed } of PREFLIGHTS) {
  test(`a preflight of ${method} from ${origin} with ${headers ?? "no headers"} is ${allowed === undefined ? "refused" : "allowed"}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket?cors", RULES);

    const reply = await s3.request({
      ...{ method: "OPTIONS", path: "/bucket/key", sign: false },
      headers: {
        origin,
        "access-control-request-method": method,
        ...(headers === undefined ? {} : { "access-control-request-headers": headers }),
      },
    });

    assert.equal(reply.status, allowed === undefined ? 403 : 200);
    assert.equal(reply.headers["access-control-allow-origin"], allowed);
    if (allowed !== undefined) assert.match(reply.headers["vary"] ?? "", /Origin/);
  });
}

test("an answer to a page of an allowed origin says so, a refusal too; others hear nothing", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket?cors", RULES);
  const ask = { method: "GET", path: "/bucket/key" };
  const allowed = { origin: "http://a.example.org" };

  const found = await s3.request({ ...ask, headers: allowed });
  const refused = await s3.request({ ...ask, headers: allowed, sign: false });
  const other = await s3.request({ ...ask, headers: { origin: "https://evil.org" } });

  assertRefused(found, 404, "NoSuchKey");
  assertRefused(refused, 403, "AccessDenied");
  for (const { headers } of [found, refused]) {
    assert.equal(headers["access-control-allow-origin"], "http://a.example.org");
  }
  assert.equal(other.headers["access-control-allow-origin"], undefined);
});

test("a preflight allows nothing in a bucket without rules, and needs an origin and a method", async (t) => {
  const s3 = await startServer(t);
  const ask = { method: "OPTIONS", path: "/bucket/key", sign: false } as const;
  const headers = { origin: "https://a.org", "access-control-request-method": "GET" };

  const refused = await s3.request({ ...ask, headers });
  assertRefused(refused, 403, "AccessForbidden");
  assert.match(refused.text, />CORSResponse: CORS is not enabled for this bucket\.</);
  assert.equal(only(refused.text, "Method"), "GET");
  assert.equal(only(refused.text, "ResourceType"), "BUCKET");
  const missing = await s3.request({ ...ask, path: "/missing/key", headers });
  assertRefused(missing, 403, "AccessForbidden");
  assert.equal(only(missing.text, "Message"), "CORSResponse: Bucket not found");
  const without = await s3.request({ ...ask, headers: { origin: "https://a.org" } });
  assertRefused(without, 403, "AccessForbidden");
  assert.equal(only(without.text, "Method"), "OPTIONS");

  await s3.put("/bucket?cors", RULES);
  const other = await s3.request({ ...ask, headers });
  assertRefused(other, 403, "AccessForbidden");
  assert.equal(only(other.text, "ResourceType"), "OBJECT");
  for (const [sent, problem] of [
    [{}, "Insufficient information. Origin request header needed."],
    [{ ...headers, origin: "" }, "Insufficient information. Origin request header needed."],
    [{ origin: "https://a.org" }, "Invalid Access-Control-Request-Method: null"],
    [
      { ...headers, "access-control-request-method": "PATCH" },
      "Invalid Access-Control-Request-Method: PATCH",
    ],
  ] as const) {
    const reply = await s3.request({ ...ask, headers: sent });
    assertRefused(reply, 400, "BadRequest");
    assert.equal(only(reply.text, "Message"), problem);
  }
});
