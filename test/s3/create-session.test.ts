import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, only } from "#test/s3/xml.ts";
import {
  type Ask,
  OTHER,
  ROOT,
  START_MS,
  startServer,
  type TestServer,
} from "#test/support/server.ts";

const BUCKET = "data--usw2-az1--x-s3";
const OTHER_BUCKET = "more--usw2-az1--x-s3";
const MINUTE_MS = 60_000;

interface Session {
  readonly as: { readonly accessKeyId: string; readonly secret: string };
  readonly token: string;
  readonly expiration: string | undefined;
}

test("a session signs requests on its bucket, for five minutes", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  const session = await started(s3);

  const put = await within(s3, session, { method: "PUT", path: `/${BUCKET}/key`, body: "bytes" });
  s3.clock.move(5 * MINUTE_MS - 1_000);
  const got = await within(s3, session, { path: `/${BUCKET}/key` });
  const listed = await within(s3, session, { path: `/${BUCKET}?list-type=2` });

  assert.equal(session.expiration, new Date(START_MS + 5 * MINUTE_MS).toISOString());
  assert.deepEqual([put.status, got.text, only(listed.text, "Key")], [200, "bytes", "key"]);
});

test("RenameObject works in a session, and as presigned", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  await s3.put(`/${BUCKET}/a`, "bytes");
  const session = await started(s3);
  const renamed = await within(s3, session, {
    ...{ method: "PUT", path: `/${BUCKET}/b?renameObject` },
    headers: { "x-amz-rename-source": `/${BUCKET}/a` },
  });

  const query = `X-Amz-S3session-Token=${encodeURIComponent(session.token)}`;
  const presigned = await s3.request({
    ...{ path: `/${BUCKET}/b?${query}`, as: session.as, sign: { presignedSeconds: 60 } },
  });

  assert.equal(renamed.status, 200, renamed.text);
  assert.equal(presigned.text, "bytes");
});

test("a session of five minutes is refused after that with ExpiredToken", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  const session = await started(s3);
  s3.clock.move(5 * MINUTE_MS);

  assertRefused(await within(s3, session, { path: `/${BUCKET}?list-type=2` }), 400, "ExpiredToken");
});

test("a session is refused on another bucket, on the service, and to start another", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET, OTHER_BUCKET] });
  await s3.put(`/${OTHER_BUCKET}/key`, "bytes");
  const session = await started(s3);
  const refused: Ask[] = [
    { path: `/${OTHER_BUCKET}/key` },
    { method: "PUT", path: `/${OTHER_BUCKET}/key`, body: "x" },
    {
      ...{ method: "PUT", path: `/${BUCKET}/key` },
      headers: { "x-amz-copy-source": `${OTHER_BUCKET}/key` },
    },
    { path: "/" },
    { path: `/${BUCKET}?session` },
  ];

  for (const ask of refused) {
    assertRefused(await within(s3, session, ask), 403, "AccessDenied");
  }
});

test("a session creates, configures and deletes its bucket, as boto3 does in one", async (t) => {
  const s3 = await startServer(t, { buckets: [] });
  const session = await started(s3);
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  const asks: Ask[] = [
    { method: "PUT", path: `/${BUCKET}` },
    { method: "PUT", path: `/${BUCKET}?versioning`, body: versioning },
    { method: "DELETE", path: `/${BUCKET}` },
  ];

  const statuses: number[] = [];
  for (const ask of asks) statuses.push((await within(s3, session, ask)).status);

  assert.deepEqual(statuses, [200, 200, 204]);
});

test("a ReadOnly session reads and lists, and writes nothing", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  await s3.put(`/${BUCKET}/key`, "bytes");
  const session = await started(s3, { "x-amz-create-session-mode": "ReadOnly" });

  const got = await within(s3, session, { path: `/${BUCKET}/key` });
  const head = await within(s3, session, { method: "HEAD", path: `/${BUCKET}` });
  const writes: Ask[] = [
    { method: "PUT", path: `/${BUCKET}/key`, body: "x" },
    { method: "DELETE", path: `/${BUCKET}/key` },
    {
      ...{ method: "PUT", path: `/${BUCKET}/new?renameObject` },
      headers: { "x-amz-rename-source": "/key" },
    },
    { method: "POST", path: `/${BUCKET}/key?uploads` },
    { method: "DELETE", path: `/${BUCKET}` },
    { method: "DELETE", path: `/${BUCKET}?lifecycle` },
  ];

  assert.deepEqual([got.text, head.status], ["bytes", 200]);
  for (const ask of writes) {
    assertRefused(await within(s3, session, ask), 403, "AccessDenied");
  }
});

test("a session may no more than its key may", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  await s3.put(`/${BUCKET}/key`, "bytes");
  const session = await started(s3);
  const policy = {
    Version: "2012-10-17",
    Statement: [
      {
        ...{ Effect: "Allow", Principal: "*", Action: "s3:*" },
        Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
      },
      {
        ...{ Effect: "Deny", Principal: "*", Action: "s3:GetObject" },
        Resource: `arn:aws:s3:::${BUCKET}/*`,
      },
    ],
  };

  const before = await within(s3, session, { path: `/${BUCKET}/key` });
  const put = await s3.put(`/${BUCKET}?policy`, JSON.stringify(policy));
  const after = await within(s3, session, { path: `/${BUCKET}/key` });

  assert.equal(before.text, "bytes");
  assert.ok(put.status < 300, put.text);
  assertRefused(after, 403, "AccessDenied");
});

test("a stranger's session on a bucket that is not theirs is refused", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });

  assertRefused(await s3.request({ path: `/${BUCKET}?session`, as: OTHER }), 403, "AccessDenied");
  assertRefused(await s3.request({ path: `/${BUCKET}?session`, sign: false }), 403, "AccessDenied");
});

test("the token of another session, of nobody, or none is refused", async (t) => {
  const s3 = await startServer(t, { buckets: [BUCKET] });
  const [one, two] = [await started(s3), await started(s3)];
  const ask = { path: `/${BUCKET}?list-type=2` };

  assertRefused(await within(s3, { ...one, token: two.token }, ask), 400, "InvalidToken");
  assertRefused(await within(s3, { ...one, as: ROOT }, ask), 400, "InvalidToken");
  assertRefused(await within(s3, { ...one, as: ROOT, token: "token" }, ask), 400, "InvalidToken");
  const forged = { ...one, token: `${one.token.slice(0, -4)}AAAA` };
  assertRefused(await within(s3, forged, ask), 400, "InvalidToken");
  assertRefused(await s3.request({ ...ask, as: one.as }), 400, "InvalidToken");
  const wrong = { ...one, as: { ...one.as, secret: "wrong" } };
  assertRefused(await within(s3, wrong, ask), 403, "SignatureDoesNotMatch");
});

test("CreateSession refuses buckets that need none, other modes, and SSE-KMS", async (t) => {
  const s3 = await startServer(t, { buckets: ["bucket", BUCKET] });

  assertRefused(await s3.get("/bucket?session"), 400, "InvalidRequest");
  const mode = { "x-amz-create-session-mode": "WriteOnly" };
  assertRefused(await s3.get(`/${BUCKET}?session`, mode), 400, "InvalidArgument");
  const kms = { "x-amz-server-side-encryption": "aws:kms" };
  assertRefused(await s3.get(`/${BUCKET}?session`, kms), 501, "NotImplemented");
});

async function started(s3: TestServer, headers: Ask["headers"] = {}): Promise<Session> {
  const { status, text } = await s3.get(`/${BUCKET}?session`, headers);
  assert.equal(status, 200, text);
  return {
    as: {
      accessKeyId: only(text, "AccessKeyId") ?? "",
      secret: only(text, "SecretAccessKey") ?? "",
    },
    token: only(text, "SessionToken") ?? "",
    expiration: only(text, "Expiration"),
  };
}

async function within(s3: TestServer, { as, token }: Session, ask: Ask) {
  const headers = { ...ask.headers, "x-amz-s3session-token": token };
  return await s3.request({ ...ask, as, headers });
}
