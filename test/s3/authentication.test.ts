import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import { type Ask, ROOT, START_MS, startServer } from "#test/support/server.ts";

// Through a whole server; forms and vectors of signatures are tested beside the verifier.
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const GET: Ask = { path: "/bucket/key" };

const TAKEN: Readonly<Record<string, Partial<Ask>>> = {
  "a signed header": {},
  "an unsigned payload": { sign: { payload: "UNSIGNED-PAYLOAD" } },
  "a presigned URL": { sign: { presignedSeconds: 60 } },
  "a presigned URL of seven days": { sign: { presignedSeconds: 604_800 } },
  "a clock 15 minutes ahead": { signedAtMs: START_MS + 15 * MINUTE_MS },
  "a clock 14 minutes behind": { signedAtMs: START_MS - 14 * MINUTE_MS },
  "a URL presigned long ago that is still good": {
    signedAtMs: START_MS - 6 * DAY_MS,
    sign: { presignedSeconds: 604_800 },
  },
};
for (const [how, more] of Object.entries(TAKEN)) {
  test(`a request signed by ${how} is answered`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    const reply = await s3.request({ ...GET, ...more });

    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.text, "bytes");
  });
}

const REFUSED: readonly { why: string; more: Partial<Ask>; status?: number; code: string }[] = [
  { why: "no signature", more: { sign: false }, code: "AccessDenied" },
  {
    why: "a session token that no session has",
    more: { as: { ...ROOT, sessionToken: "token" } },
    status: 400,
    code: "InvalidToken",
  },
  {
    why: "a wrong secret",
    more: { as: { ...ROOT, secret: "wrong" } },
    code: "SignatureDoesNotMatch",
  },
  {
    why: "an unknown key",
    more: { as: { ...ROOT, accessKeyId: "NOBODY" } },
    code: "InvalidAccessKeyId",
  },
  {
    why: "a presigned URL with a wrong secret",
    more: { as: { ...ROOT, secret: "wrong" }, sign: { presignedSeconds: 60 } },
    code: "SignatureDoesNotMatch",
  },
  {
    why: "a clock 16 minutes ahead",
    more: { signedAtMs: START_MS + 16 * MINUTE_MS },
    code: "RequestTimeTooSkewed",
  },
  {
    why: "a clock 16 minutes behind",
    more: { signedAtMs: START_MS - 16 * MINUTE_MS },
    code: "RequestTimeTooSkewed",
  },
  {
    why: "a presigned URL that has expired",
    more: { signedAtMs: START_MS - 2 * MINUTE_MS, sign: { presignedSeconds: 60 } },
    code: "AccessDenied",
  },
  {
    why: "a presigned URL from the future",
    more: { signedAtMs: START_MS + 16 * MINUTE_MS, sign: { presignedSeconds: 60 } },
    code: "AccessDenied",
  },
  {
    why: "a presigned URL of more than seven days",
    more: { sign: { presignedSeconds: 604_801 } },
    status: 400,
    code: "AuthorizationQueryParametersError",
  },
  {
    why: "a presigned URL of no time",
    more: { sign: { presignedSeconds: 0 } },
    status: 400,
    code: "AuthorizationQueryParametersError",
  },
  {
    why: "a presigned URL of negative time",
    more: { sign: { presignedSeconds: -1 } },
    status: 400,
    code: "AuthorizationQueryParametersError",
  },
  {
    why: "an x-amz- header that was not signed",
    more: { unsigned: { "x-amz-copy-source": "bucket/other" } },
    code: "AccessDenied",
  },
  {
    why: "a signed header that was changed",
    more: { headers: { range: "bytes=0-1" }, unsigned: { range: "bytes=0-4" } },
    code: "SignatureDoesNotMatch",
  },
  {
    why: "another scheme",
    more: { sign: false, headers: { authorization: "Bearer x" } },
    status: 400,
    code: "InvalidArgument",
  },
  {
    why: "Signature Version 2",
    more: { sign: false, headers: { authorization: "AWS AK:c2lnbmF0dXJl" } },
    status: 400,
    code: "InvalidRequest",
  },
  {
    why: "two signatures",
    more: { sign: { presignedSeconds: 60 }, unsigned: { authorization: "AWS4-HMAC-SHA256 x" } },
    status: 400,
    code: "InvalidArgument",
  },
];
for (const { why, more, status = 403, code } of REFUSED) {
  test(`a request with ${why} is refused with ${code}`, async (t) => {
    const s3 = await startServer(t);
    await s3.put("/bucket/key", "bytes");

    assertRefused(await s3.request({ ...GET, ...more }), status, code);
  });
}

test("a presigned URL is good to its last second, and not one longer", async (t) => {
  const s3 = await startServer(t);
  await s3.put("/bucket/key", "bytes");
  const ask: Ask = { ...GET, sign: { presignedSeconds: 60 }, signedAtMs: s3.clock.now() };

  s3.clock.move(59_000);
  assert.equal((await s3.request(ask)).status, 200);
  s3.clock.move(2_000);
  const reply = await s3.request(ask);

  assertRefused(reply, 403, "AccessDenied");
  assert.equal(only(reply.text, "Message"), "Request has expired");
});

test("a wrong signature is told what was signed here", async (t) => {
  const s3 = await startServer(t);

  const { text } = await s3.request({ ...GET, as: { ...ROOT, secret: "wrong" } });

  assert.equal(only(text, "AWSAccessKeyId"), ROOT.accessKeyId);
  assert.match(only(text, "StringToSign") ?? "", /^AWS4-HMAC-SHA256\n20260102T030405Z\n/);
  assert.match(only(text, "CanonicalRequest") ?? "", /^GET\n\/bucket\/key\n/);
});

for (const target of [
  "/bucket/a//b",
  "/bucket/../x",
  "/bucket/a%2Fb",
  "/bucket/a+b",
  "/bucket/%7e",
]) {
  test(`the exact bytes of ${target} are what is verified`, async (t) => {
    const s3 = await startServer(t);

    assert.equal((await s3.put(target, "bytes")).status, 200);
    assert.equal((await s3.get(target)).text, "bytes");
  });
}

test("signed chunks that were changed are refused with SignatureDoesNotMatch", async (t) => {
  const s3 = await startServer(t);
  const sign = {
    mode: "signed-trailer",
    trailers: { "x-amz-checksum-crc32": "y/Q5Jg==" },
  } as const;
  const ask: Ask = { method: "PUT", path: "/bucket/key", body: "123456789", sign };

  const reply = await s3.request({
    ...ask,
    tamper: (body) => body.replace("123456789", "123456780"),
  });

  assertRefused(reply, 403, "SignatureDoesNotMatch");
  assertRefused(await s3.get("/bucket/key"), 404, "NoSuchKey");
});
