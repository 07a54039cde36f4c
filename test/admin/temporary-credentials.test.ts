import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openControl, START_MS } from "#test/admin/control.ts";
import { AUDIENCE, startIssuer } from "#test/federation/issuer.ts";
import {
  AUDIENCE as ACS_AUDIENCE,
  ENTITY_ID,
  encoded,
  MINUTE_MS,
  makeProvider,
  responseXml,
  type Said,
} from "#test/federation/saml-provider.ts";

const BASE = "/v1/cwobject/temporary-credentials";
const idp = makeProvider();

async function openWorld(t: TestContext) {
  const opened = await openControl(t);
  const issuer = await startIssuer(t);
  const trusted = { name: "ci", issuerUrl: issuer.issuerUrl, audience: AUDIENCE };
  await opened.ok("POST", "/v1/lode/federation/oidc", { ...trusted, privateNetwork: true });
  const provider = { name: "adfs", idpEntityId: ENTITY_ID, audience: ACS_AUDIENCE };
  const { id: configId } = await opened.ok("POST", "/v1/lode/federation/saml", {
    ...{ ...provider, certificate: idp.certificate },
  });
  const role = `role/${issuer.issuerUrl}:workload`;
  const orgId = opened.organizationId;
  const byOidc = async (more: object = {}) => {
    const body = { orgId, oidcToken: await issuer.token(), durationSeconds: 600, ...more };
    return await opened.call({ method: "POST", path: `${BASE}/oidc`, body, token: undefined });
  };
  const bySaml = async (said: Said = {}, more: object = {}) => {
    const samlResponse = encoded(idp.sign(responseXml(said), "Assertion"));
    const body = { orgId, configId, samlResponse, durationSeconds: 600, ...more };
    return await opened.call({ method: "POST", path: `${BASE}/saml`, body, token: undefined });
  };
  const fetched = async (authorization: string, organizationId = orgId) => {
    const path = `${BASE}/oidc/${organizationId}`;
    return await opened.call({ path, token: undefined, headers: { authorization } });
  };
  return { ...opened, issuer, role, byOidc, bySaml, fetched };
}

test("an OIDC token is exchanged for a key of its role, without a session token", async (t) => {
  const { allow, role, byOidc, control } = await openWorld(t);
  await allow(role, ["cwobject:CreateAccessKeyOIDC"]);

  const { status, json } = await byOidc({ attributes: { name: "ci" } });

  assert.equal(status, 200, JSON.stringify(json));
  const { accessKeyId, secretKey, ...shown } = json;
  assert.match(accessKeyId, /^CW[A-Z]{14}$/);
  assert.deepEqual(shown, {
    principalName: role,
    expiry: new Date(START_MS + 10 * MINUTE_MS).toISOString(),
    attributes: { name: "ci" },
  });
  const found = await control.keys.find(accessKeyId);
  assert.equal(found?.secret, secretKey);
  assert.equal(found?.sessionDigest, undefined);
});

test("a role's key never lasts for ever: 0 seconds, or none, are the 12 hours that are the most", async (t) => {
  const { allow, role, byOidc, bySaml } = await openWorld(t);
  await allow(role, ["cwobject:CreateAccessKeyOIDC"]);
  await allow("role/reader", ["cwobject:CreateAccessKeySAML"]);
  const longest = new Date(START_MS + 12 * 60 * MINUTE_MS).toISOString();

  for (const durationSeconds of [0, null, 43_200]) {
    assert.equal((await byOidc({ durationSeconds })).json.expiry, longest);
    const id = `_${durationSeconds}`;
    assert.equal((await bySaml({ id }, { durationSeconds })).json.expiry, longest);
  }
  const { status, json } = await byOidc({ durationSeconds: 43_201 });
  assert.deepEqual([status, json.code], [400, 3]);
  assert.match(json.message, /^durationSeconds: give at most 43200/);
});

test("a SAML response is exchanged for a key of its role, once", async (t) => {
  const { allow, bySaml } = await openWorld(t);
  await allow("role/reader", ["cwobject:CreateAccessKeySAML"]);

  const { status, json } = await bySaml();
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.principalName, "role/reader");
  const again = await bySaml();
  assert.deepEqual([again.status, again.json.code], [401, 16]);
  assert.match(again.json.message, /used before/);
});

test("a response that policies refuse is not used up", async (t) => {
  const { allow, bySaml } = await openWorld(t);
  assert.equal((await bySaml()).status, 403);

  await allow("role/reader", ["cwobject:CreateAccessKeySAML"]);

  assert.equal((await bySaml()).status, 200);
});

test("a key by SAML ends with the provider's own session", async (t) => {
  const { allow, bySaml } = await openWorld(t);
  await allow("role/reader", ["cwobject:CreateAccessKeySAML"]);
  const sessionUntilMs = START_MS + 5 * MINUTE_MS + 999;

  const { json } = await bySaml({ sessionUntilMs }, { durationSeconds: 0 });

  assert.equal(json.expiry, new Date(START_MS + 5 * MINUTE_MS).toISOString());
});

test("a role that no policy allows a key is refused with PermissionDenied, whichever way it comes", async (t) => {
  const { issuer, allow, role, byOidc, bySaml, fetched } = await openWorld(t);
  await allow(role, ["s3:*", "cwobject:CreateAccessKey", "cwobject:CreateAccessKeySAML"]);
  await allow("role/reader", ["s3:*", "cwobject:CreateAccessKeyOIDC"]);

  for (const { status, json } of [
    await byOidc(),
    await bySaml(),
    await fetched(await issuer.token()),
  ]) {
    assert.deepEqual([status, json.code], [403, 7]);
    assert.match(json.message, /^permission denied: role\//);
  }
});

test("the log and the audit are told who asked, as soon as that is known", async (t) => {
  const { issuer, role, byOidc, bySaml, fetched, organizationId } = await openWorld(t);
  const token = await issuer.token();

  assert.equal((await byOidc()).by, `${organizationId} ${role}`);
  assert.equal((await fetched(token)).by, `${organizationId} ${role}`);
  assert.equal((await bySaml()).by, `${organizationId} role/reader`);
  assert.equal((await byOidc({ oidcToken: "x.y.z" })).by, " -");
});

test("conditions of policies see who asks for a role's key", async (t) => {
  const { control, organizationId, role, issuer, call, byOidc } = await openWorld(t);
  const statement = {
    ...{ name: "office", effect: "Allow", actions: ["cwobject:*"], resources: ["*"] },
    ...{ principals: [role], conditions: { IpAddress: { "aws:SourceIp": ["198.51.100.0/24"] } } },
  };
  const policy = { version: "v1alpha1", name: "office", statements: [statement] };
  await control.policies.ensure(organizationId, JSON.stringify(policy));
  const body = { orgId: organizationId, oidcToken: await issuer.token() };
  const ask = { method: "POST", path: `${BASE}/oidc`, body, token: undefined };

  assert.equal((await byOidc()).status, 403);
  assert.equal((await call({ ...ask, from: "198.51.100.7" })).status, 200);
});

test("an SDK's container credentials are a session key of 15 minutes, in AWS's spelling", async (t) => {
  const { issuer, allow, role, fetched, control } = await openWorld(t);
  await allow(role, ["cwobject:CreateAccessKeyOIDC"]);

  for (const prefix of ["", "Bearer "]) {
    const { status, json, headers } = await fetched(prefix + (await issuer.token()));
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(headers["cache-control"], "no-store");
    const { AccessKeyId, SecretAccessKey, Token, Expiration, ...more } = json;
    assert.deepEqual(more, {});
    assert.equal(Expiration, new Date(START_MS + 15 * MINUTE_MS).toISOString());
    const found = await control.sessionKeys.find(AccessKeyId, Token);
    assert.deepEqual([found?.secret, found?.principal.name], [SecretAccessKey, role]);
  }
});

test("a user's API token is exchanged for a session key of the user", async (t) => {
  const { allow, userToken, call, control } = await openWorld(t);
  const token = await userToken({ uid: "ada" });
  await allow("coreweave/ada", ["cwobject:CreateAccessKey"]);

  const { status, json } = await call({ path: `${BASE}/api-token`, token });

  assert.equal(status, 200, JSON.stringify(json));
  const found = await control.sessionKeys.find(json.AccessKeyId, json.Token);
  assert.equal(found?.principal.name, "coreweave/ada");
  assert.equal(found?.expiryMs, START_MS + 15 * MINUTE_MS);
});

test("the operator's token is nobody's, and gets no keys", async (t) => {
  const { call } = await openWorld(t);

  const { status, json } = await call({ path: `${BASE}/api-token` });

  assert.deepEqual([status, json.code], [400, 9]);
});

test("what proves nothing is refused with Unauthenticated, and what cannot be asked with Unavailable", async (t) => {
  const { issuer, byOidc, bySaml, fetched } = await openWorld(t);
  const other = await issuer.token({ aud: "other" });
  const expired = await issuer.token({ exp: Math.floor(START_MS / 1_000) - 100 });

  for (const { status, json } of [
    await byOidc({ oidcToken: other }),
    await byOidc({ oidcToken: expired }),
    await byOidc({ oidcToken: "" }),
    await byOidc({ orgId: "nosuch" }),
    await fetched(""),
    await fetched("Bearer"),
    await fetched(other),
    await fetched(await issuer.token(), "nosuch"),
    await bySaml({ audience: "other" }),
    await bySaml({}, { configId: "nosuch" }),
    await bySaml({}, { samlResponse: "" }),
  ]) {
    assert.deepEqual([status, json.code], [401, 16], JSON.stringify(json));
  }
  issuer.answer = (_path, reply) => reply.writeHead(500).end();
  const { status, json } = await byOidc();
  assert.deepEqual([status, json.code], [503, 14], JSON.stringify(json));
});

test("an old token from a shared address locks nobody out, forged SAML responses do", async (t) => {
  const { issuer, byOidc, bySaml, call, organizationId } = await openWorld(t);
  const expired = await issuer.token({ exp: Math.floor(START_MS / 1_000) - 100 });
  for (let times = 0; times < 30; times += 1) await byOidc({ oidcToken: expired });
  assert.equal((await call({ path: "/v1/lode/whoami" })).status, 200);

  const samlResponse = encoded(makeProvider().sign(responseXml(), "Assertion"));
  for (let times = 0; times < 20; times += 1) await bySaml({}, { samlResponse });

  const refused = await call({ path: `${BASE}/oidc/${organizationId}` });
  assert.deepEqual([refused.status, refused.json.code], [429, 8]);
});
