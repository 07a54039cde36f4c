/** Whom OIDC tokens stand for, and which stand for nobody. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type TestContext, test } from "node:test";
import { type CryptoKey, exportSPKI, importJWK, type JWK } from "jose";
import { openIdentities } from "#catalog/identities.ts";
import type { OidcFields } from "#catalog/oidc-configuration.ts";
import { Federation } from "#federation/federation.ts";
import type { FederationFailure } from "#federation/federation-error.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { AUDIENCE, startIssuer, type TestIssuer } from "#test/federation/issuer.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { START_MS } from "#test/support/server.ts";

const ORGANIZATION = "ab1cd2";
const MINUTE_MS = 60_000;

interface World {
  readonly issuer: TestIssuer;
  readonly clock: MovableClock;
  readonly configure: (fields?: Partial<OidcFields>) => Promise<string>;
  readonly identify: (token: string, organizationId?: string) => ReturnType<Federation["identify"]>;
  readonly refused: (token: string, kind: FederationFailure, message: RegExp) => Promise<void>;
}

async function openWorld(t: TestContext): Promise<World> {
  const clock = new MovableClock(START_MS);
  const identities = openIdentities({ meta: new MemoryMetaStore(), clock, keyring: TEST_KEYRING });
  const federation = new Federation({ ...identities, clock });
  const issuer = await startIssuer(t);
  const identify: World["identify"] = async (token, organizationId = ORGANIZATION) =>
    await federation.identify(organizationId, token);
  return {
    issuer,
    clock,
    identify,
    configure: async (fields) => {
      const all = { ...configurationOf(issuer), ...fields };
      return (await identities.federations.createOidc(ORGANIZATION, all)).id;
    },
    refused: async (token, kind, message) => {
      await assert.rejects(identify(token), { name: "FederationError", kind, message });
    },
  };
}

function configurationOf({ issuerUrl }: Pick<TestIssuer, "issuerUrl">): OidcFields {
  return {
    ...{ name: "ci", description: "", issuerUrl, audiences: [AUDIENCE], active: true },
    ...{ jwks: undefined, privateNetwork: true, roleClaim: false },
  };
}

test("a token stands for role/<issuer>:<sub> in the organization that trusts its issuer", async (t) => {
  const { issuer, configure, identify } = await openWorld(t);
  const id = await configure();
  const sub = "repo:octo-org/octo-repo:ref:refs/heads/main";

  const identity = await identify(await issuer.token({ sub, aud: ["other", AUDIENCE] }));

  assert.deepEqual(identity, {
    principal: {
      ...{ kind: "role", organizationId: ORGANIZATION, groups: [] },
      name: `role/${issuer.issuerUrl}:${sub}`,
    },
    federationId: id,
    issuer: issuer.issuerUrl,
    subject: sub,
    audience: AUDIENCE,
  });
});

for (const algorithm of ["RS256", "PS512", "EdDSA"] as const) {
  test(`a token that is signed with ${algorithm} is taken`, async (t) => {
    const { issuer, configure, identify } = await openWorld(t);
    await configure();
    await issuer.rotate(algorithm);

    assert.equal((await identify(await issuer.token())).subject, "workload");
  });
}

test("a configuration that says so takes the role from the claim of older tokens", async (t) => {
  const { issuer, configure, identify, refused } = await openWorld(t);
  await configure({ roleClaim: true });
  const claim = "https://coreweave.com/claims/role";

  const { principal } = await identify(await issuer.token({ [claim]: "reader" }));
  assert.equal(principal.name, "role/reader");
  await refused(await issuer.token(), "invalid", /no claim/);
  for (const role of ["", "a b", "https://elsewhere:sub", "*", "x".repeat(129), "a\u0000b"]) {
    await refused(await issuer.token({ [claim]: role }), "invalid", /role it names/);
  }
});

test("the claim of older tokens means nothing where the configuration does not say so", async (t) => {
  const { issuer, configure, identify } = await openWorld(t);
  await configure();
  const token = await issuer.token({ "https://coreweave.com/claims/role": "Admin" });

  assert.equal((await identify(token)).principal.name, `role/${issuer.issuerUrl}:workload`);
});

const SECONDS = Math.floor(START_MS / 1_000);
const REFUSED: Readonly<Record<string, readonly [object, FederationFailure, RegExp]>> = {
  "for another audience": [{ aud: "sts.amazonaws.com" }, "invalid", /audience/],
  "for no audience": [{ aud: undefined }, "invalid", /audience/],
  "for an audience that only begins like ours": [{ aud: `${AUDIENCE}/x` }, "invalid", /audience/],
  "of an issuer that is not configured": [{ iss: "https://elsewhere.example" }, "invalid", /iss/],
  "of no issuer": [{ iss: undefined }, "invalid", /no issuer/],
  "that expired 61 seconds ago": [{ exp: SECONDS - 61 }, "expired", /expired/],
  "without an expiry": [{ exp: undefined }, "invalid", /no expiry/],
  "whose expiry is a text": [{ exp: "9999999999" }, "invalid", /no expiry/],
  "that is good from 61 seconds on": [{ nbf: SECONDS + 61 }, "invalid", /nbf/],
  "that was issued 61 seconds from now": [{ iat: SECONDS + 61 }, "invalid", /future/],
  "without a time of issue": [{ iat: undefined }, "invalid", /iat/],
  "without a subject": [{ sub: undefined }, "invalid", /sub/],
  "whose subject is a list": [{ sub: ["workload"] }, "invalid", /sub/],
  "with an empty subject": [{ sub: "" }, "invalid", /sub/],
  "with a subject that is a wildcard": [{ sub: "repo:*" }, "invalid", /sub/],
  "with a line break in its subject": [{ sub: "a\nb" }, "invalid", /sub/],
  "with a subject that looks like another": [{ sub: "wоrkload" }, "invalid", /sub/],
  "with a subject of 513 characters": [{ sub: "s".repeat(513) }, "invalid", /sub/],
};
for (const [what, [claims, kind, message]] of Object.entries(REFUSED)) {
  test(`a token ${what} is refused`, async (t) => {
    const { issuer, configure, refused } = await openWorld(t);
    await configure();

    await refused(await issuer.token({ ...claims }), kind, message);
  });
}

test("clocks may be off by a minute", async (t) => {
  const { issuer, configure, identify } = await openWorld(t);
  await configure();
  const ahead = { iat: SECONDS + 59, nbf: SECONDS + 59 };

  assert.equal((await identify(await issuer.token(ahead))).subject, "workload");
  assert.equal((await identify(await issuer.token({ exp: SECONDS - 59 }))).subject, "workload");
});

test("a token is another organization's as little as its own when that trusts nobody", async (t) => {
  const { issuer, configure, identify } = await openWorld(t);
  await configure();

  await assert.rejects(identify(await issuer.token(), "other"), { kind: "invalid" });
});

test("a configuration that is not active lets nobody in", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure({ active: false });

  await refused(await issuer.token(), "invalid", /no active configuration/);
  assert.deepEqual(issuer.asked, []);
});

/** A token that nobody signed as it should be: header and payload as they are given. */
function forged(header: object, payload: object, signature = "c2lnbmF0dXJl"): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(payload)}.${signature}`;
}

function payloadOf(token: string): object {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

test("a token without a signature, under every spelling of none, is refused", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  const payload = payloadOf(await issuer.token());

  for (const alg of ["none", "None", "NONE", "nOnE", "", undefined]) {
    await refused(forged({ alg }, payload), "invalid", /algorithm/);
    await refused(
      forged({ alg, kid: "key-1" }, payload).replace(/\.[^.]*$/, "."),
      "invalid",
      /JWT/,
    );
  }
  assert.deepEqual(issuer.asked, []);
});

test("a token that is signed by HMAC with the issuer's public key as the secret is refused", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  await issuer.rotate("RS256");
  const payload = payloadOf(await issuer.token());
  const [jwk] = issuer.jwks().keys;
  const pem = await exportSPKI((await importJWK(jwk as JWK, "RS256")) as CryptoKey);

  for (const secret of [pem, pem.trim(), JSON.stringify(jwk)]) {
    for (const alg of ["HS256", "HS512"]) {
      const unsigned = forged({ alg, kid: "key-2" }, payload).replace(/\.[^.]*$/, "");
      const hash = alg === "HS256" ? "sha256" : "sha512";
      const signature = createHmac(hash, secret).update(unsigned).digest("base64url");
      await refused(`${unsigned}.${signature}`, "invalid", /algorithm/);
    }
  }
});

test("a token that says another algorithm than its key has is refused", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  const token = await issuer.token();
  const header = { alg: "RS256", kid: "key-1" };

  await refused(forged(header, payloadOf(token), token.split(".")[2]), "invalid", /key/);
});

test("a token whose signature or payload was changed is refused", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  const token = await issuer.token();
  const [header = "", , signature = ""] = token.split(".");
  const payload = Buffer.from(JSON.stringify({ ...payloadOf(token), sub: "admin" }));

  await refused(`${header}.${payload.toString("base64url")}.${signature}`, "invalid", /signature/);
  const flipped = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  await refused(token.replace(signature, flipped), "invalid", /signature/);
});

test("a key, or the place of one, that a token brings along is not looked at", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  const mine = await startIssuer(t);
  const [jwk] = mine.jwks().keys;
  const claims = { iss: issuer.issuerUrl };
  const header = { jwk: jwk as JWK, jku: `${mine.issuerUrl}/keys`, x5u: `${mine.issuerUrl}/keys` };

  await refused(await mine.token(claims, { header }), "invalid", /signature/);
  assert.deepEqual(mine.asked, []);
});

test("a kid is a name and nothing else", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();

  for (const kid of [
    "../../etc/passwd",
    "/dev/null",
    "key-1' OR '1'='1",
    "__proto__",
    "http://x/",
  ]) {
    await refused(await issuer.token({}, { header: { kid } }), "invalid", /key/);
  }
  for (const path of issuer.asked)
    assert.match(path, /^\/(?:keys|\.well-known\/openid-configuration)$/);
});

test("what is no token, or a huge one, is refused before anything is fetched", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  await configure();
  const token = await issuer.token();

  for (const text of [
    "",
    "a",
    "a.b",
    "a.b.c.d",
    `${token} `,
    `${token}\n`,
    "ä.ö.ü",
    "e30.e30.e30",
  ]) {
    await refused(text, "invalid", /Invalid token/);
  }
  await refused(await issuer.token({ padding: "p".repeat(16_384) }), "invalid", /16384/);
  assert.deepEqual(issuer.asked, []);
});

test("keys are fetched once, and again only after ten minutes", async (t) => {
  const { issuer, configure, identify, clock } = await openWorld(t);
  await configure();
  const token = await issuer.token({ exp: SECONDS + 86_400 });

  await Promise.all([identify(token), identify(token), identify(token)]);
  clock.move(10 * MINUTE_MS - 1);
  await identify(token);
  assert.equal(issuer.asked.length, 2);
  clock.move(1);
  await identify(token);
  assert.equal(issuer.asked.length, 4);
});

test("a new key of the issuer is found at once, and an old one ends with its set", async (t) => {
  const { issuer, configure, identify, refused, clock } = await openWorld(t);
  await configure();
  const old = await issuer.token({ exp: SECONDS + 86_400 });
  await identify(old);
  await issuer.rotate();
  clock.move(30_000);

  await identify(await issuer.token({}, { nowMs: clock.now() }));
  await refused(old, "invalid", /key/);
});

test("tokens with keys that nobody knows make keys be fetched twice a minute at the most", async (t) => {
  const { issuer, configure, identify, refused, clock } = await openWorld(t);
  await configure();
  await identify(await issuer.token());
  const before = issuer.asked.length;

  for (let second = 0; second < 60; second += 1) {
    clock.move(1_000);
    await refused(
      await issuer.token({}, { header: { kid: `made-up-${second}` } }),
      "invalid",
      /key/,
    );
  }
  assert.equal(issuer.asked.length - before, 4, "two fetches of two documents");
});

test("an issuer that is down is asked again after five seconds, and believed for an hour", async (t) => {
  const { issuer, configure, identify, refused, clock } = await openWorld(t);
  await configure();
  const token = await issuer.token({ exp: SECONDS + 86_400 });
  issuer.answer = (_path, reply) => reply.writeHead(500).end();

  await refused(token, "unreachable", /answered 500/);
  await refused(token, "unreachable", /moment ago/);
  assert.equal(issuer.asked.length, 1);
  issuer.answer = undefined;
  clock.move(5_000);
  await identify(token);
  issuer.answer = (_path, reply) => reply.writeHead(500).end();
  clock.move(60 * MINUTE_MS - 1);
  await identify(token);
  clock.move(5_000);
  await refused(token, "unreachable", /answered 500/);
});

const BAD_ANSWERS: Readonly<Record<string, readonly [(at: string) => unknown, RegExp]>> = {
  "the document of another issuer": [
    (at) => ({ issuer: "https://elsewhere.example", jwks_uri: `${at}/keys` }),
    /not the one that was asked/,
  ],
  "no place of keys": [(issuer) => ({ issuer }), /no jwks_uri/],
  "a place of keys that is a file": [
    (issuer) => ({ issuer, jwks_uri: "file:///etc/passwd" }),
    /not https/,
  ],
  "a place of keys that is another machine's, in plain": [
    (issuer) => ({ issuer, jwks_uri: "http://192.0.2.1/keys" }),
    /not https/,
  ],
  "a place of keys that is the metadata service of a cloud": [
    (issuer) => ({ issuer, jwks_uri: "https://169.254.169.254/latest" }),
    /not one to connect to/,
  ],
  "a place of keys with a password": [
    (issuer) => ({ issuer, jwks_uri: "https://me:secret@keys.example" }),
    /names a user/,
  ],
  "a list": [() => [], /not the one that was asked/],
  nothing: [() => null, /no object/],
};
for (const [what, [document, message]] of Object.entries(BAD_ANSWERS)) {
  test(`an issuer that answers ${what} is not believed`, async (t) => {
    const { issuer, configure, refused } = await openWorld(t);
    await configure();
    issuer.answer = (_path, reply) => reply.end(JSON.stringify(document(issuer.issuerUrl)));

    await refused(await issuer.token(), "unreachable", message);
  });
}

test("a redirect is not followed, an endless answer not read, and what is no JSON not believed", async (t) => {
  const { issuer, configure, refused, clock } = await openWorld(t);
  await configure();
  const target = await startIssuer(t);
  const token = await issuer.token();

  issuer.answer = (_path, reply) => reply.writeHead(302, { location: target.issuerUrl }).end();
  await refused(token, "unreachable", /answered 302/);
  clock.move(5_000);
  issuer.answer = (_path, reply) => {
    const more = () => reply.write(" ".repeat(65_536), more);
    more();
  };
  await refused(token, "unreachable", /larger than 262144 bytes/);
  clock.move(5_000);
  issuer.answer = (_path, reply) => reply.end("<html>");
  await refused(token, "unreachable", /no JSON/);
  clock.move(5_000);
  issuer.answer = (_path, reply) => reply.destroy();
  await refused(token, "unreachable", /does not answer \(ECONNRESET\)/);
  assert.deepEqual(target.asked, []);
});

test("keys that stand in the configuration are used, and nothing is fetched", async (t) => {
  const { issuer, configure, identify, refused } = await openWorld(t);
  await configure({ jwks: JSON.stringify(issuer.jwks()) });
  const token = await issuer.token();

  assert.equal((await identify(token)).subject, "workload");
  await issuer.rotate();
  await refused(await issuer.token(), "invalid", /key/);
  assert.deepEqual(issuer.asked, []);
});

test("an issuer on a private network is not asked unless the configuration allows it", async (t) => {
  const { issuer, configure, refused } = await openWorld(t);
  const issuerUrl = "https://10.0.0.1";
  await configure({ issuerUrl, privateNetwork: false });

  const message = /not one to connect to\. An operator may allow it with privateNetwork/;
  await refused(await issuer.token({ iss: issuerUrl }), "unreachable", message);
});
