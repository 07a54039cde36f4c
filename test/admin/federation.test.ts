import assert from "node:assert/strict";
import { test } from "node:test";
import { openControl, START_MS } from "#test/admin/control.ts";
import { makeKeyAndCertificate } from "#test/federation/certificate.ts";

const OIDC = "/v1/lode/federation/oidc";
const SAML = "/v1/lode/federation/saml";
const GITHUB = "https://token.actions.githubusercontent.com";
const CI = { name: "github", issuerUrl: GITHUB, audience: "https://coreweave.com/iam" };
const { certificate } = makeKeyAndCertificate();
const IDP = { name: "adfs", idpEntityId: "https://idp.example/saml", audience: "urn:lode" };

test("an OIDC configuration is made, listed, changed, and deleted", async (t) => {
  const { ok, call, clock, organizationId } = await openControl(t);

  const made = await ok("POST", OIDC, CI);
  assert.match(made.id, /^[0-9a-f]{32}$/);
  const time = new Date(START_MS).toISOString();
  assert.deepEqual(made, {
    ...{ id: made.id, orgId: organizationId, name: "github", description: "", issuerUrl: GITHUB },
    ...{ audiences: [CI.audience], active: true, privateNetwork: false, roleClaim: false },
    ...{ creationTime: time, updateTime: time },
  });
  assert.deepEqual(await ok("GET", OIDC), { configurations: [made] });
  clock.move(1_000);
  const changed = await ok("PUT", `${OIDC}/${made.id}`, { active: false, audiences: ["a", "b"] });
  const updateTime = new Date(START_MS + 1_000).toISOString();
  assert.deepEqual(changed, { ...made, active: false, audiences: ["a", "b"], updateTime });
  assert.deepEqual(await ok("GET", `${OIDC}/${made.id}`), changed);
  await ok("DELETE", `${OIDC}/${made.id}`);
  assert.deepEqual(await ok("GET", OIDC), { configurations: [] });
  for (const method of ["GET", "PUT", "DELETE"]) {
    assert.equal((await call({ method, path: `${OIDC}/${made.id}` })).status, 404);
  }
});

test("a SAML configuration is made, listed, changed, and deleted", async (t) => {
  const { ok, call, organizationId } = await openControl(t);

  const made = await ok("POST", SAML, { ...IDP, certificate });
  const time = new Date(START_MS).toISOString();
  assert.deepEqual(made, {
    ...{ ...IDP, id: made.id, orgId: organizationId, description: "", active: true },
    ...{ certificates: [certificate], creationTime: time, updateTime: time },
  });
  assert.deepEqual(await ok("GET", SAML), { configurations: [made] });
  const acsUrl = "https://storage.example/saml";
  assert.deepEqual(await ok("PUT", `${SAML}/${made.id}`, { acsUrl }), { ...made, acsUrl });
  await ok("DELETE", `${SAML}/${made.id}`);
  for (const method of ["GET", "PUT", "DELETE"]) {
    assert.equal((await call({ method, path: `${SAML}/${made.id}` })).status, 404);
  }
});

const BAD_OIDC: Readonly<Record<string, readonly [object, RegExp]>> = {
  "a name with a space": [{ name: "git hub" }, /^name:/],
  "no name": [{ name: "" }, /^name:/],
  "no audience": [{ audience: undefined }, /^audiences: give 1 to 20/],
  "an audience with a space": [{ audience: "a b" }, /^audiences:/],
  "an issuer in plain": [{ issuerUrl: "http://issuer.example" }, /^issuerUrl:.*https/],
  "an issuer that is no URL": [{ issuerUrl: "issuer.example" }, /^issuerUrl:/],
  "an issuer with a query": [{ issuerUrl: `${GITHUB}?a=b` }, /^issuerUrl:/],
  "an issuer with an empty query": [{ issuerUrl: `${GITHUB}?` }, /^issuerUrl:/],
  "an issuer with a fragment": [{ issuerUrl: `${GITHUB}#a` }, /^issuerUrl:/],
  "an issuer with a user": [{ issuerUrl: "https://me@issuer.example" }, /^issuerUrl:/],
  "an issuer in capitals": [{ issuerUrl: "https://ISSUER.example" }, /^issuerUrl:/],
  "an issuer with a way back": [{ issuerUrl: "https://issuer.example/a/../b" }, /^issuerUrl:/],
  "an issuer of another scheme": [{ issuerUrl: "file:///etc/passwd" }, /^issuerUrl:/],
  "an issuer with a line break": [{ issuerUrl: "https://issuer.example/\n" }, /^issuerUrl:/],
  "an issuer on this machine": [{ issuerUrl: "https://localhost:1" }, /privateNetwork/],
  "an issuer at its address": [{ issuerUrl: "http://127.0.0.1:1" }, /privateNetwork/],
  "keys that are none": [{ jwks: "{}" }, /^jwks:/],
  "no keys": [{ jwks: '{"keys":[]}' }, /^jwks:/],
  "a private key": [{ jwks: '{"keys":[{"kty":"RSA","d":"x"}]}' }, /private/],
  "a symmetric key": [{ jwks: '{"keys":[{"kty":"oct","k":"x"}]}' }, /symmetric/],
  "too many keys": [
    { jwks: JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) }) },
    /^jwks:/,
  ],
  "a field that is none": [{ issuer: GITHUB }, /^issuer: is no field/],
};
for (const [what, [more, message]] of Object.entries(BAD_OIDC)) {
  test(`an OIDC configuration with ${what} is refused`, async (t) => {
    const { call, ok } = await openControl(t);

    const refused = await call({ method: "POST", path: OIDC, body: { ...CI, ...more } });

    assert.deepEqual([refused.status, refused.json.code], [400, 3]);
    assert.match(refused.json.message, message);
    assert.deepEqual(await ok("GET", OIDC), { configurations: [] });
  });
}

const BAD_SAML: Readonly<Record<string, readonly [object, RegExp]>> = {
  "no certificate": [{ certificate: undefined }, /^certificates: give 1 to 2/],
  "a certificate that is none": [{ certificate: "x" }, /^certificates\[0\]: give an X\.509/],
  "too many certificates": [{ certificates: [certificate, certificate] }, /^certificates:/],
  "an entity id with a space": [{ idpEntityId: "a b" }, /^idpEntityId:/],
  "no audience": [{ audience: "" }, /^audience:/],
};
for (const [what, [more, message]] of Object.entries(BAD_SAML)) {
  test(`a SAML configuration with ${what} is refused`, async (t) => {
    const { call } = await openControl(t);

    const body = { ...IDP, certificate, ...more };
    const refused = await call({ method: "POST", path: SAML, body });

    assert.deepEqual([refused.status, refused.json.code], [400, 3]);
    assert.match(refused.json.message, message);
  });
}

test("a certificate with a short key is refused", async (t) => {
  const { call } = await openControl(t);
  const short = makeKeyAndCertificate(1_024).certificate;

  const refused = await call({ method: "POST", path: SAML, body: { ...IDP, certificate: short } });

  assert.match(refused.json.message, /2048 bits/);
});

test("two configurations share neither name, nor issuer and audience", async (t) => {
  const { call, ok } = await openControl(t);
  const { id } = await ok("POST", OIDC, CI);
  const twice = async (more: object) =>
    await call({ method: "POST", path: OIDC, body: { ...CI, ...more } });

  assert.equal((await twice({ issuerUrl: "https://other.example" })).status, 409);
  assert.equal((await twice({ name: "other" })).status, 409);
  assert.equal((await twice({ name: "other", audiences: ["a", CI.audience] })).status, 409);
  const { id: other } = await ok("POST", OIDC, { ...CI, name: "other", audience: "other" });
  const change = { method: "PUT", path: `${OIDC}/${other}`, body: { audience: CI.audience } };
  assert.equal((await call(change)).status, 409);
  await ok("DELETE", `${OIDC}/${id}`);
  assert.equal((await call(change)).status, 200);
});

test("an organization has at most 100 of each kind", async (t) => {
  const { call, ok } = await openControl(t);
  for (let made = 0; made < 100; made += 1) {
    await ok("POST", OIDC, { ...CI, name: `ci-${made}`, audience: `a-${made}` });
  }

  const refused = await call({ method: "POST", path: OIDC, body: CI });

  assert.deepEqual([refused.status, refused.json.code], [429, 8]);
});

test("only the operator lets an issuer be on a private network, and says which", async (t) => {
  const { call, ok, userToken, allow } = await openControl(t);
  const token = await userToken({ uid: "ada" });
  await allow("coreweave/ada", ["cwobject:*"]);
  const body = { ...CI, privateNetwork: true };

  assert.equal((await call({ method: "POST", path: OIDC, body, token })).status, 403);
  const own = await call({ method: "POST", path: OIDC, body: CI, token });
  assert.equal(own.status, 200);
  const path = `${OIDC}/${own.json.id}`;
  const change = async (fields: object) =>
    (await call({ method: "PUT", path, body: fields, token })).status;
  assert.equal(await change({ privateNetwork: true }), 403);
  await ok("PUT", path, { privateNetwork: true, issuerUrl: "https://keycloak.internal" });
  assert.equal(await change({ description: "ours" }), 200);
  assert.equal(await change({ issuerUrl: "https://10.0.0.1" }), 403);
  assert.equal(await change({ issuerUrl: GITHUB, privateNetwork: false }), 200);
});
