/** The Security Token Service at the root of the S3 listener. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { allow } from "#test/federation/allow.ts";
import { AUDIENCE, startIssuer } from "#test/federation/issuer.ts";
import { only } from "#test/s3/xml.ts";
import {
  type Ask,
  OTHER,
  type Reply,
  ROOT,
  START_MS,
  STRANGER,
  startServer,
} from "#test/support/server.ts";
import { signedHeaders } from "#test/support/sign.ts";

const MINUTE_MS = 60_000;
const FORM = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

async function openWorld(t: TestContext) {
  const s3 = await startServer(t);
  const issuer = await startIssuer(t);
  const { organizationId, identities } = s3;
  const { federations } = identities;
  const configuration = await federations.createOidc(organizationId, {
    ...{ name: "ci", description: "", issuerUrl: issuer.issuerUrl, audiences: [AUDIENCE] },
    ...{ active: true, jwks: undefined, privateNetwork: true, roleClaim: false },
  });
  const principal = `role/${issuer.issuerUrl}:workload`;
  const actions = ["cwobject:CreateAccessKeyOIDC", "s3:*"];
  await allow(identities, { organizationId, principal, actions });
  const parameters = async (): Promise<Record<string, string>> => ({
    ...{ Action: "AssumeRoleWithWebIdentity", Version: "2011-06-15", RoleSessionName: "ci" },
    RoleArn: `arn:aws:iam::${organizationId}:role/oidc`,
    WebIdentityToken: await issuer.token({}, { nowMs: s3.clock.now() }),
  });
  const post = async (form: Readonly<Record<string, string>>, ask: Partial<Ask> = {}) =>
    await s3.request({
      ...{ method: "POST", path: "/", headers: FORM, sign: false },
      ...{ body: new URLSearchParams(form).toString(), ...ask },
    });
  const assume = async (more: Readonly<Record<string, string>> = {}) =>
    await post({ ...(await parameters()), ...more });
  return {
    s3,
    issuer,
    identities,
    organizationId,
    configuration,
    principal,
    parameters,
    post,
    assume,
  };
}

function credentialsOf({ text, status }: Reply) {
  assert.equal(status, 200, text);
  return {
    accessKeyId: only(text, "AccessKeyId") ?? "",
    secret: only(text, "SecretAccessKey") ?? "",
    sessionToken: only(text, "SessionToken") ?? "",
  };
}

function assertRefused({ text, status }: Reply, wanted: number, code: string): void {
  assert.deepEqual([status, only(text, "Code")], [wanted, code], text);
  assert.equal(only(text, "Type"), status < 500 ? "Sender" : "Receiver");
  assert.match(text, /^<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">/);
}

test("AssumeRoleWithWebIdentity gives credentials for an hour, as STS spells them", async (t) => {
  const { s3, issuer, organizationId, configuration, assume } = await openWorld(t);

  const reply = await assume();

  const as = credentialsOf(reply);
  const { text, headers } = reply;
  assert.match(as.accessKeyId, /^CW0[A-Z]{13}$/);
  assert.match(as.secret, /^cwo[a-z0-9]{40}$/);
  assert.match(
    text,
    /^<AssumeRoleWithWebIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><AssumeRoleWithWebIdentityResult>/,
  );
  assert.equal(headers["content-type"], "text/xml");
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(only(text, "RequestId"), headers["x-amzn-requestid"]);
  const arn = `arn:aws:sts::${organizationId}:assumed-role/${issuer.issuerUrl}:workload/ci`;
  const shown = {
    Expiration: new Date(START_MS + 60 * MINUTE_MS).toISOString(),
    SubjectFromWebIdentityToken: "workload",
    Audience: AUDIENCE,
    Provider: issuer.issuerUrl,
    Arn: arn,
    AssumedRoleId: `${configuration.id.toUpperCase()}:ci`,
  };
  for (const [name, value] of Object.entries(shown)) assert.equal(only(text, name), value);
  assert.equal(
    (await s3.request({ method: "PUT", path: "/bucket/key", body: "x", as })).status,
    200,
  );
});

test("a request may come as a query too, and may name the role it expects", async (t) => {
  const { s3, parameters, issuer, organizationId } = await openWorld(t);
  const RoleArn = `arn:aws:iam::${organizationId}:role/${issuer.issuerUrl}:workload`;
  const query = { ...(await parameters()), RoleArn };

  const reply = await s3.request({ path: "/", query, sign: false });

  const as = credentialsOf(reply);
  assert.equal((await s3.request({ path: "/bucket", as })).status, 200);
});

test("credentials end when they say, and DurationSeconds says when", async (t) => {
  const { s3, assume } = await openWorld(t);
  const as = credentialsOf(await assume({ DurationSeconds: "900" }));
  const ask: Ask = { path: "/bucket", as };
  const url: Ask = { ...ask, sign: { presignedSeconds: 604_800 }, signedAtMs: START_MS };

  s3.clock.move(15 * MINUTE_MS - 1);
  assert.equal((await s3.request(ask)).status, 200);
  assert.equal((await s3.request(url)).status, 200);
  s3.clock.move(1);
  for (const late of [await s3.request(ask), await s3.request(url)]) {
    assert.deepEqual([late.status, late.code], [400, "ExpiredToken"]);
  }
});

test("the session token must be there, whole, and the key's own", async (t) => {
  const { s3, assume } = await openWorld(t);
  const own = credentialsOf(await assume());
  const others = credentialsOf(await assume());
  const { accessKeyId, secret, sessionToken } = own;
  const changed = `${sessionToken.slice(0, -2)}${sessionToken.endsWith("AA") ? "BB" : "AA"}`;

  const missing = await s3.request({ path: "/bucket", as: { accessKeyId, secret } });
  assert.deepEqual([missing.status, missing.code], [403, "InvalidAccessKeyId"]);
  for (const token of [others.sessionToken, changed, "", "cwt_", sessionToken.slice(0, 60)]) {
    const as = { accessKeyId, secret, sessionToken: token };
    const reply = await s3.request({ path: "/bucket", as });
    assert.deepEqual([reply.status, reply.code], [400, "InvalidToken"], token);
  }
  const mixed = { ...own, secret: others.secret };
  assert.equal((await s3.request({ path: "/bucket", as: mixed })).code, "SignatureDoesNotMatch");
  const rooted = { ...ROOT, sessionToken };
  assert.equal((await s3.request({ path: "/bucket", as: rooted })).code, "InvalidToken");
});

test("credentials do what policies allow their role, as these are at each moment", async (t) => {
  const { s3, identities, organizationId, principal, assume } = await openWorld(t);
  const as = credentialsOf(await assume());
  assert.equal((await s3.request({ path: "/bucket", as })).status, 200);

  const actions = ["cwobject:CreateAccessKeyOIDC"];
  await allow(identities, { organizationId, principal, actions });

  assert.equal((await s3.request({ path: "/bucket", as })).code, "AccessDenied");
});

test("a role that no policy allows a key gets none", async (t) => {
  const { identities, organizationId, principal, assume } = await openWorld(t);
  await allow(identities, { organizationId, principal, actions: ["s3:*"] });

  assertRefused(await assume(), 403, "AccessDenied");
});

test("tokens that are refused are refused by STS's names", async (t) => {
  const { issuer, assume, s3 } = await openWorld(t);
  const seconds = Math.floor(START_MS / 1_000);
  const refused = async (WebIdentityToken: string, status: number, code: string) =>
    assertRefused(await assume({ WebIdentityToken }), status, code);

  await refused(await issuer.token({ aud: "other" }), 400, "InvalidIdentityToken");
  await refused(await issuer.token({ iss: "https://other.example" }), 400, "InvalidIdentityToken");
  await refused("not.a.token", 400, "InvalidIdentityToken");
  await refused(await issuer.token({ exp: seconds - 100 }), 400, "ExpiredTokenException");
  await refused("abc", 400, "ValidationError");
  await refused("a".repeat(20_001), 400, "ValidationError");
  issuer.answer = (_path, reply) => reply.writeHead(503).end();
  await refused(await issuer.token(), 400, "IDPCommunicationError");
  assert.deepEqual(s3.failures, []);
});

const PARAMETERS: Readonly<Record<string, readonly [Record<string, string>, number, string]>> = {
  "no role": [{ RoleArn: "" }, 400, "ValidationError"],
  "a role of AWS's": [{ RoleArn: "arn:aws:iam::a:user/somebody" }, 400, "ValidationError"],
  "another role": [{ RoleArn: "arn:aws:iam::ORG:role/Administrator" }, 403, "AccessDenied"],
  "another organization": [
    { RoleArn: "arn:aws:iam::other:role/oidc" },
    400,
    "InvalidIdentityToken",
  ],
  "no organization there is": [
    { RoleArn: "arn:aws:iam::nosuch:role/oidc" },
    400,
    "InvalidIdentityToken",
  ],
  "a session name with a space": [{ RoleSessionName: "a b" }, 400, "ValidationError"],
  "a session name of one letter": [{ RoleSessionName: "a" }, 400, "ValidationError"],
  "less than 15 minutes": [{ DurationSeconds: "899" }, 400, "ValidationError"],
  "more than 12 hours": [{ DurationSeconds: "43201" }, 400, "ValidationError"],
  "a time that is none": [{ DurationSeconds: "soon" }, 400, "ValidationError"],
  "a session policy": [{ Policy: "{}" }, 501, "NotImplemented"],
  "policies by name": [
    { "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/x" },
    501,
    "NotImplemented",
  ],
  "an OAuth provider": [{ ProviderId: "graph.facebook.com" }, 400, "ValidationError"],
  "another version": [{ Version: "2010-05-08" }, 400, "InvalidAction"],
  "an action that there is not": [{ Action: "Nothing" }, 400, "InvalidAction"],
  "an action that is not offered": [{ Action: "AssumeRole" }, 501, "NotImplemented"],
};
for (const [what, [more, status, code]] of Object.entries(PARAMETERS)) {
  test(`AssumeRoleWithWebIdentity with ${what} is refused with ${code}`, async (t) => {
    const { assume, organizationId } = await openWorld(t);
    const entries = Object.entries(more).map(([name, value]) => [
      ...[name, value.replace("ORG", organizationId)],
    ]);

    assertRefused(await assume(Object.fromEntries(entries)), status, code);
  });
}

test("a request without an action, or with one twice, or too long, is refused", async (t) => {
  const { s3, post, parameters } = await openWorld(t);
  const form = new URLSearchParams(await parameters()).toString();

  assertRefused(await post({}), 400, "MissingAction");
  assertRefused(await post({}, { body: `${form}&RoleArn=x` }), 400, "ValidationError");
  assertRefused(await post({ padding: "p".repeat(65_536) }), 400, "ValidationError");
  const query = { path: "/?Action=%ff&Version=2011-06-15", sign: false } as const;
  assert.equal((await s3.request(query)).status, 400);
});

test("the value of a token is in no refusal", async (t) => {
  const { assume } = await openWorld(t);
  const secret = `secret.${"s".repeat(20_000)}.secret`;

  const { text } = await assume({ WebIdentityToken: secret });

  assert.ok(!text.includes("sss"), text.slice(0, 300));
});

test("a form for a bucket is S3's, and so is a list of buckets", async (t) => {
  const { s3, post } = await openWorld(t);
  const form = { Action: "GetCallerIdentity", Version: "2011-06-15" };

  const hosted = { ...FORM, host: `bucket.localhost:${s3.port}` };
  assert.equal((await post(form, { headers: hosted, sign: "hash" })).code, "PreconditionFailed");
  assert.equal((await post(form, { path: "/bucket", sign: "hash" })).code, "PreconditionFailed");
  const listed = await s3.request({ path: "/", query: { prefix: "Action=" } });
  assert.match(listed.text, /<ListAllMyBucketsResult/);
});

/** As SDKs sign for STS: the digest of the body is signed, and not sent. */
function identityAsk(port: number, more: Partial<Parameters<typeof stsHeaders>[0]> = {}): Ask {
  const body = "Action=GetCallerIdentity&Version=2011-06-15";
  return {
    method: "POST",
    path: "/",
    sign: false,
    body,
    headers: stsHeaders({ port, body, ...more }),
  };
}

function stsHeaders(given: {
  readonly port: number;
  readonly body: string;
  readonly service?: string;
  readonly as?: { accessKeyId: string; secret: string; sessionToken?: string };
}) {
  const { port, body, service = "sts", as = ROOT } = given;
  const url = `http://127.0.0.1:${port}/`;
  return signedHeaders({
    ...as,
    method: "POST",
    url,
    body,
    service,
    nowMs: START_MS,
    headers: FORM,
  });
}

test("GetCallerIdentity tells a user and a role who they are, as policies name them", async (t) => {
  const { s3, organizationId, principal, assume } = await openWorld(t);
  const as = credentialsOf(await assume());

  const user = (await s3.request(identityAsk(s3.port))).text;
  const role = (await s3.request(identityAsk(s3.port, { as }))).text;

  assert.match(user, /^<GetCallerIdentityResponse xmlns="[^"]+"><GetCallerIdentityResult>/);
  assert.equal(only(user, "Arn"), `arn:aws:iam::${organizationId}:coreweave/admin`);
  assert.equal(only(user, "Account"), organizationId);
  assert.equal(only(user, "UserId"), "admin");
  assert.equal(only(role, "Arn"), `arn:aws:iam::${organizationId}:${principal}`);
});

test("GetCallerIdentity needs no policy, only a signature for this service", async (t) => {
  const { s3, post } = await openWorld(t);
  const { port } = s3;

  assert.equal((await s3.request(identityAsk(port, { as: STRANGER }))).status, 200);
  assert.equal((await s3.request(identityAsk(port, { as: OTHER }))).status, 200);
  const form = { Action: "GetCallerIdentity", Version: "2011-06-15" };
  assertRefused(await post(form), 403, "MissingAuthenticationToken");
  const wrong = { ...ROOT, secret: "wrong" };
  const unknown = { ...ROOT, accessKeyId: "NOBODY" };
  const asked = async (more: Parameters<typeof identityAsk>[1]) =>
    await s3.request(identityAsk(port, more));
  assertRefused(await asked({ as: wrong }), 403, "SignatureDoesNotMatch");
  assertRefused(await asked({ as: unknown }), 403, "InvalidClientTokenId");
  assertRefused(await asked({ service: "s3" }), 400, "IncompleteSignature");
  const token = { ...ROOT, sessionToken: "token" };
  assertRefused(await asked({ as: token }), 403, "InvalidClientTokenId");
  const changed = { ...identityAsk(port), body: "Action=GetCallerIdentity&Version=2011-06-15&x=" };
  assertRefused(await s3.request(changed), 403, "SignatureDoesNotMatch");
  s3.clock.move(16 * MINUTE_MS);
  assertRefused(await asked({}), 403, "SignatureDoesNotMatch");
});

test("a signature for STS is none for S3", async (t) => {
  const { s3 } = await openWorld(t);
  const headers = stsHeaders({ port: s3.port, body: "" });

  const reply = await s3.request({ path: "/", sign: false, headers });

  assert.notEqual(reply.status, 200);
});
