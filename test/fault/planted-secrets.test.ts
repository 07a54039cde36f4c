/**
 * Nothing that a server writes holds a secret: recognizable ones are planted wherever a request may carry
 * one, in calls that succeed and in calls that fail, and then everything is searched for them.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { systemClock } from "#base/clock.ts";
import { expectCall, type Sent, type Target } from "#test/fault/call.ts";
import { AUDIENCE, startIssuer } from "#test/federation/issuer.ts";
import { only, texts } from "#test/s3/xml.ts";
import { ROOT_ENVIRONMENT, ROOT_KEY, serveCommand, start } from "#test/support/process.ts";
import { presignedUrl, signedHeaders } from "#test/support/sign.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

/** What is meant to hold a secret, and is for the eyes of the server's user alone. */
const KEPT_BY = ["credentials", "admin-token", "master-key"];
/** Found in the log, in an audit record and on the disk: it proves that the search finds. */
const CONTROL = "key-that-may-be-seen";

type Secrets = Map<string, string | Buffer>;
type Headers = Readonly<Record<string, string>>;

interface World {
  readonly target: Target;
  readonly control: (method: string, path: string, more?: Sending) => Promise<Json>;
  readonly secrets: Secrets;
  readonly organizationId: string;
}

interface Sending {
  readonly body?: unknown;
  readonly authorization?: string;
  /** 200 when absent. */
  readonly status?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into.
type Json = any;

test("no log, metric, audit record or file of a server holds a secret that it was given or gave out", async (t) => {
  const data = await temporaryDirectory();
  const first = await serve(t, data);
  const { world, issuer } = await open(t, first, data);

  await signRequests(world);
  await useKeysOfCustomers(world);
  await presign(world);
  await openSessions(world);
  await federate(world, issuer);
  await breakControlCalls(world);
  const metrics = await (await fetch(`${first.adminEndpoint}/metrics`)).text();
  const output = await first.stop();
  const again = await serve(t, data);
  const audit = await auditRecords(again.target, world.organizationId);
  const outputOfSecond = await again.stop();

  const places: [place: string, bytes: Buffer][] = [
    ["the output", Buffer.from(output)],
    ["the output of the second start", Buffer.from(outputOfSecond)],
    ["the metrics", Buffer.from(metrics)],
    ["the audit records", Buffer.from(audit)],
    ...filesOf(data).map((path): [string, Buffer] => [path, readFileSync(join(data, path))]),
  ];
  assert.ok(output.includes(CONTROL) && audit.includes(CONTROL));
  assert.ok(
    places.some(([place, bytes]) => place.startsWith("metadata") && bytes.includes(CONTROL)),
  );
  for (const [what, secret] of world.secrets) assert.ok(secret.length >= 24, what);
  assert.ok(world.secrets.size > 20, `${world.secrets.size} secrets were planted`);
  const found = [...world.secrets].flatMap(([what, secret]) =>
    formsOf(secret).flatMap(([form, bytes]) =>
      places
        .filter(([, within]) => within.includes(bytes))
        .map(([at]) => `${what}, ${form}: ${at}`),
    ),
  );
  assert.deepEqual(found, []);
});

async function serve(t: TestContext, data: string) {
  const command = serveCommand(
    data,
    "--workers",
    "2",
    "--audit-batch",
    "1",
    "--access-log",
    "true",
  );
  const server = start(t, { command, environment: ROOT_ENVIRONMENT });
  const [, endpoint = "", adminEndpoint = ""] = await server.prints(/^ready s3=(\S+) admin=(\S+)/m);
  const target: Target = { endpoint, ...ROOT_KEY };
  const stop = async () => {
    server.signal("SIGTERM");
    const { code, stdout, stderr } = await server.ended;
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };
  return { target, adminEndpoint, stop };
}

/** Buckets, an audit of both planes, and a user with a key and a token. */
async function open(t: TestContext, server: Awaited<ReturnType<typeof serve>>, data: string) {
  const { target, adminEndpoint } = server;
  const operator = readFileSync(join(data, "admin-token"), "utf8").trim();
  const [masterKey = ""] =
    /^[0-9a-f]{64}$/m.exec(readFileSync(join(data, "master-key"), "utf8")) ?? [];
  const secrets: Secrets = new Map<string, string | Buffer>([
    ["the root secret", target.secret],
    ["the operator's token", operator],
    ["the master key", Buffer.from(masterKey, "hex")],
  ]);
  const control: World["control"] = async (method, path, more = {}) => {
    const { body, authorization = `Bearer ${operator}`, status = 200 } = more;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const reply = await fetch(adminEndpoint + path, {
      ...{ method, headers: { authorization } },
      ...(body === undefined ? {} : { body: text ?? null }),
    });
    const answer = await reply.text();
    assert.equal(reply.status, status, `${method} ${path}: ${answer}`);
    return JSON.parse(answer);
  };
  const { orgId: organizationId } = await control("GET", "/v1/lode/whoami");
  const settings = { bucketAuditLoggingEnabled: true, controlPlaneAuditLoggingEnabled: true };
  await control("PUT", "/v1/cwobject/organization/settings", { body: { settings } });
  const issuer = await startIssuer(t);
  const federation = {
    ...{ name: "ci", issuerUrl: issuer.issuerUrl, audiences: [AUDIENCE], privateNetwork: true },
  };
  await control("POST", "/v1/lode/federation/oidc", { body: federation });
  const everything = { effect: "Allow", actions: ["*"], resources: ["*"], principals: ["*"] };
  const statements = [{ name: "everything", ...everything }];
  const policy = { version: "v1alpha1", name: "everybody", statements };
  await control("POST", "/v1/cwobject/access-policy", { body: { policy } });
  for (const name of ["bucket", "bucket--x-s3"]) {
    await expectCall(target, { method: "PUT", path: `/${name}` });
  }
  const world: World = { target, control, secrets, organizationId };
  await untilAudited(world);
  return { world, issuer };
}

/** Workers see the switch within a second; then the one that answers here does. */
async function untilAudited({ target }: World): Promise<void> {
  const untilMs = systemClock.now() + 1_100;
  while (systemClock.now() < untilMs) {
    await expectCall(target, { method: "GET", path: "/bucket?location" });
    await systemClock.sleep(100);
  }
}

/** A key of a user's, in requests that are right, wrong, denied and malformed. */
async function signRequests({ target, control, secrets }: World): Promise<void> {
  await control("POST", "/v1/lode/user", { body: { uid: "ada", name: "Ada" } });
  const body = { durationSeconds: 0 };
  const made = await control("POST", "/v1/lode/user/ada/access-key", { body });
  secrets.set("the secret of an access key", made.secretKey);
  const brought = { accessKeyId: "ada@example.com", secretKey: "ada-brought-this-secret-along" };
  await control("POST", "/v1/lode/user/ada/access-key", { body: { ...body, ...brought } });
  const again = { body: { ...body, ...brought }, status: 409 };
  await control("POST", "/v1/lode/user/ada/access-key", again);
  secrets.set("the secret of a key that was brought", brought.secretKey);
  const { endpoint } = target;
  const ada: Target = { endpoint, accessKeyId: made.accessKeyId, secret: made.secretKey };
  const given = { method: "GET", url: `${endpoint}/bucket/${CONTROL}`, ...ada };
  await expectCall(ada, { method: "PUT", path: `/bucket/${CONTROL}`, body: "bytes" });
  for (const [what, headers, status] of [
    ["right", signedHeaders(given), 200],
    ["by a wrong secret", signedHeaders({ ...given, secret: `${made.secretKey}x` }), 403],
    ["by an unknown key", signedHeaders({ ...given, accessKeyId: "NOSUCHKEY" }), 403],
    ["of another path", signedHeaders({ ...given, url: `${endpoint}/bucket/other` }), 403],
  ] as const) {
    secrets.set(`the signature, ${what}`, headers["authorization"]?.slice(-64) ?? "");
    assert.equal((await fetch(given.url, { headers })).status, status, what);
  }
  // Where people put secrets by mistake.
  const mistaken = `Basic ${Buffer.from(`ada:${made.secretKey}`).toString("base64")}`;
  for (const authorization of [mistaken, made.secretKey, `AWS ada:${made.secretKey}`]) {
    const reply = await fetch(given.url, { headers: { authorization } });
    assert.ok(reply.status >= 400);
  }
  await control("DELETE", `/v1/cwobject/access-key/${made.accessKeyId}`, { status: 501 });
}

async function useKeysOfCustomers({ target, secrets }: World): Promise<void> {
  const [mine = Buffer.alloc(0), other = Buffer.alloc(0)] = ["mine", "other"].map((whose) =>
    Buffer.alloc(32, `customer-key-${whose}-9d41 `),
  );
  secrets.set("a customer's key", mine).set("another customer's key", other);
  const headers = (key: Buffer, of = "", md5 = md5Of(key)): Headers => ({
    [`x-amz-${of}server-side-encryption-customer-algorithm`]: "AES256",
    [`x-amz-${of}server-side-encryption-customer-key`]: key.toString("base64"),
    [`x-amz-${of}server-side-encryption-customer-key-md5`]: md5,
  });
  const sent = async (ask: Sent, status: number) => await expectCall(target, ask, status);
  const path = "/bucket/sealed";
  await sent({ method: "PUT", path, headers: headers(mine), body: "bytes" }, 200);
  await sent({ method: "PUT", path, headers: headers(mine, "", md5Of(other)), body: "1" }, 400);
  await sent({ method: "GET", path, headers: headers(mine) }, 200);
  await sent({ method: "GET", path, headers: headers(other) }, 403);
  await sent({ method: "GET", path: `${path}-none`, headers: headers(mine) }, 404);
  const copy = { "x-amz-copy-source": path, ...headers(mine, "copy-source-") };
  await sent({ method: "PUT", path: "/bucket/copy", headers: { ...copy, ...headers(other) } }, 200);
  const made = await sent({ method: "POST", path: `${path}?uploads`, headers: headers(mine) }, 200);
  const upload = only(made.body.toString(), "UploadId");
  const part = `${path}?partNumber=1&uploadId=${upload}`;
  await sent({ method: "PUT", path: part, headers: headers(mine), body: "bytes" }, 200);
  await sent({ method: "PUT", path: part, headers: headers(other), body: "bytes" }, 400);
}

async function presign({ target, secrets }: World): Promise<void> {
  const { endpoint } = target;
  const nowMs = systemClock.now();
  const [key, missing] = [`${endpoint}/bucket/${CONTROL}`, `${endpoint}/bucket/missing`];
  for (const [what, url, ms, status] of [
    ["right", key, nowMs, 200],
    ["of what is missing", missing, nowMs, 404],
    ["expired", key, nowMs - 120_000, 403],
    ["of an operation that is not offered", `${key}?torrent`, nowMs, 501],
  ] as const) {
    const signed = presignedUrl({
      ...{ ...target, method: "GET", url, nowMs: ms, expiresSeconds: 60 },
    });
    secrets.set(`the presigned signature, ${what}`, signed.slice(-64));
    assert.equal((await fetch(signed)).status, status, what);
    const tampered = await fetch(`${signed}&versionId=1`);
    assert.equal(tampered.status, 403);
  }
}

/** Session keys of all three kinds, used rightly, and each with another's token. */
async function openSessions(world: World): Promise<void> {
  const { target, control, secrets } = world;
  const made = await control("POST", "/v1/lode/api-token", {
    body: { uid: "ada", durationSeconds: 0 },
  });
  secrets.set("an API token", made.token);
  const authorization = `Bearer ${made.token}`;
  const fetched = await control("GET", "/v1/cwobject/temporary-credentials/api-token", {
    authorization,
  });
  const session = {
    accessKeyId: fetched.AccessKeyId,
    secret: fetched.SecretAccessKey,
    sessionToken: fetched.Token,
  };
  const { body } = await expectCall(target, { method: "GET", path: "/bucket--x-s3?session" });
  const xml = body.toString();
  const inBucket = {
    accessKeyId: only(xml, "AccessKeyId") ?? "",
    secret: only(xml, "SecretAccessKey") ?? "",
    sessionToken: only(xml, "SessionToken") ?? "",
  };
  secrets.set("the secret of a session key", session.secret).set("its token", session.sessionToken);
  secrets.set("the secret of a bucket session", inBucket.secret);
  secrets.set("the token of a bucket session", inBucket.sessionToken);
  await useSession(`${target.endpoint}/bucket?location`, session, inBucket);
  await useSession(`${target.endpoint}/bucket--x-s3?location`, inBucket, session);
  await control("GET", "/v1/lode/whoami", { authorization });
  await control("GET", "/v1/lode/whoami", { authorization: `${authorization}x`, status: 401 });
  await control("DELETE", `/v1/lode/api-token/${made.id}`);
  await control("GET", "/v1/lode/whoami", { authorization, status: 401 });
}

interface SessionKey {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly sessionToken: string;
}

async function useSession(url: string, session: SessionKey, other: SessionKey): Promise<void> {
  const get = async (as: SessionKey) =>
    (await fetch(url, { headers: signedHeaders({ ...as, method: "GET", url }) })).status;
  assert.equal(await get(session), 200);
  assert.ok((await get({ ...session, sessionToken: other.sessionToken })) >= 400);
  assert.ok((await get({ ...session, sessionToken: `${session.sessionToken}x` })) >= 400);
  const presigned = presignedUrl({ ...session, method: "GET", url, expiresSeconds: 60 });
  assert.equal((await fetch(presigned)).status, 200);
  assert.equal((await fetch(`${presigned}0`)).status, 403);
}

/** Tokens of an issuer in the body, in a header and in a form: good ones and others. */
async function federate(world: World, issuer: Awaited<ReturnType<typeof startIssuer>>) {
  const { target, control, secrets, organizationId: orgId } = world;
  const nowMs = systemClock.now();
  const tokens: readonly (readonly [what: string, token: string, good: boolean])[] = [
    ["good", await issuer.token({}, { nowMs }), true],
    ["for somebody else", await issuer.token({ aud: "https://elsewhere.test" }, { nowMs }), false],
    ["expired", await issuer.token({}, { nowMs: nowMs - 3_600_000 }), false],
    [
      "with a broken signature",
      `${(await issuer.token({}, { nowMs })).slice(0, -8)}AAAAAAAA`,
      false,
    ],
    ["that is none", "not-a-token-but-a-secret-5f2e", false],
  ];
  for (const [what, token, good] of tokens) {
    secrets.set(`an OIDC token ${what}`, token);
    const refused = good ? {} : { status: 401 };
    const stored = await control("POST", "/v1/cwobject/temporary-credentials/oidc", {
      ...{ body: { orgId, oidcToken: token, durationSeconds: 900 }, ...refused },
    });
    const fetched = await control("GET", `/v1/cwobject/temporary-credentials/oidc/${orgId}`, {
      ...{ authorization: token, ...refused },
    });
    const form = new URLSearchParams({
      ...{ Action: "AssumeRoleWithWebIdentity", Version: "2011-06-15", RoleSessionName: "ci" },
      ...{ RoleArn: `arn:aws:iam::${orgId}:role/oidc`, WebIdentityToken: token },
    });
    const assumed = await fetch(target.endpoint, { method: "POST", body: form });
    const xml = await assumed.text();
    assert.equal(assumed.status === 200, good, xml);
    // Some send it in the address.
    assert.equal((await fetch(`${target.endpoint}/?${form}`)).status === 200, good);
    if (!good) continue;
    secrets
      .set("a secret by OIDC", stored.secretKey)
      .set("by OIDC, fetched", fetched.SecretAccessKey);
    secrets.set("a token by OIDC, fetched", fetched.Token);
    secrets.set("a secret by STS", only(xml, "SecretAccessKey") ?? "");
    secrets.set("a token by STS", only(xml, "SessionToken") ?? "");
  }
  const saml = "PHNlY3JldC1hc3NlcnRpb24tNzc+PC9zZWNyZXQtYXNzZXJ0aW9uLTc3Pg==";
  secrets.set("a SAML response", saml);
  const body = { orgId, samlResponse: saml, durationSeconds: 900 };
  await control("POST", "/v1/cwobject/temporary-credentials/saml", { body, status: 401 });
}

/** Secrets in bodies that cannot be read, in fields that there are none of, and in the address. */
async function breakControlCalls({ control, secrets }: World): Promise<void> {
  const secret = "secret-in-a-wrong-place-c0ffee";
  secrets.set("a secret in a wrong place", secret);
  const path = "/v1/lode/user";
  for (const body of [`{"secret":"${secret}`, `"${secret}"`, { [secret]: secret }]) {
    await control("POST", path, { body, status: 400 });
  }
  await control("GET", `${path}?token=${secret}`, { status: 400 });
  await control("GET", `/nowhere/${secret}`, { status: 404 });
  for (const scheme of ["Basic", "Token", ""]) {
    await control("GET", path, { authorization: `${scheme} ${secret}`, status: 401 });
  }
}

async function auditRecords(target: Target, organizationId: string): Promise<string> {
  const bucket = `/cw-${organizationId}-audit-logs`;
  const { body } = await expectCall(target, { method: "GET", path: `${bucket}?list-type=2` });
  const keys = texts(body.toString(), "Key");
  const parts = keys.map(async (key) => {
    const got = await expectCall(target, { method: "GET", path: `${bucket}/${key}` });
    return gunzipSync(got.body).toString();
  });
  const all = (await Promise.all(parts)).join("");
  for (const plane of [
    "cwobject:CreateApiToken",
    "s3:GetObject",
    "sts:AssumeRoleWithWebIdentity",
  ]) {
    assert.ok(all.includes(plane), `the audit tells of ${plane}`);
  }
  return all;
}

function filesOf(data: string): readonly string[] {
  const entries = readdirSync(data, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(data.length + 1))
    .filter((path) => !KEPT_BY.includes(path));
}

/** How something that was told a secret might write it down. */
function formsOf(secret: string | Buffer): readonly (readonly [form: string, bytes: Buffer])[] {
  const raw = Buffer.from(secret);
  const text = raw.toString("latin1");
  const forms: [string, string][] = [
    ["hex", raw.toString("hex")],
    ["HEX", raw.toString("hex").toUpperCase()],
    ["percent", encodeURIComponent(text)],
    ["JSON", JSON.stringify(text).slice(1, -1)],
  ];
  // Within something longer it may begin at any of three places of a group.
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), raw]);
    for (const encoding of ["base64", "base64url"] as const) {
      const whole = padded.toString(encoding).replace(/=+$/, "");
      forms.push([`${encoding} at ${before}`, whole.slice(before === 0 ? 0 : before + 1, -1)]);
    }
  }
  return [["raw", raw], ...forms.map(([form, written]) => [form, Buffer.from(written)] as const)];
}

function md5Of(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("base64");
}
