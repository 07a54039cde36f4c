/** Whom SAML responses stand for, and which stand for nobody. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openIdentities } from "#catalog/identities.ts";
import type { SamlFields } from "#catalog/saml-configuration.ts";
import type { FederationFailure } from "#federation/federation-error.ts";
import { SamlIdentities } from "#federation/saml-identity.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import {
  ACS_URL,
  AUDIENCE,
  assertionXml,
  attributeXml,
  ENTITY_ID,
  encoded,
  MINUTE_MS,
  makeProvider,
  ROLE,
  responseXml,
  type Said,
} from "#test/federation/saml-provider.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { START_MS } from "#test/support/server.ts";

const ORGANIZATION = "ab1cd2";
const idp = makeProvider();
const stranger = makeProvider();

async function openWorld(fields: Partial<SamlFields> = {}) {
  const clock = new MovableClock(START_MS);
  const { federations, usedAssertions } = openIdentities({
    ...{ meta: new MemoryMetaStore(), clock, keyring: TEST_KEYRING },
  });
  const saml = new SamlIdentities({ federations, usedAssertions, clock });
  const configuration = await federations.createSaml(ORGANIZATION, {
    ...{ name: "adfs", description: "", idpEntityId: ENTITY_ID, audience: AUDIENCE },
    ...{ certificates: [idp.certificate], acsUrl: ACS_URL, active: true },
    ...fields,
  });
  const { id } = configuration;
  const identify = async (xml: string, configurationId: string | undefined = id) =>
    await saml.identify({
      ...{ organizationId: ORGANIZATION, configurationId, response: encoded(xml) },
    });
  const refused = async (xml: string, message: RegExp, kind: FederationFailure = "invalid") =>
    await assert.rejects(identify(xml), { name: "FederationError", kind, message });
  return { clock, federations, saml, id, identify, refused };
}

/** A response whose assertion the provider has signed. */
function signed(said: Said = {}): string {
  return idp.sign(responseXml(said), "Assertion");
}

test("a response stands for role/<role>, whichever of the two is signed, or both", async () => {
  const { identify, id } = await openWorld();
  const principal = {
    ...{ kind: "role", organizationId: ORGANIZATION, name: "role/reader", groups: [] },
  };

  for (const xml of [
    signed(),
    idp.sign(responseXml(), "Response"),
    idp.sign(signed(), "Response"),
    idp.sign(responseXml(), "Assertion", "sha512"),
  ]) {
    const identity = await identify(xml);
    assert.deepEqual(identity.principal, principal);
    assert.equal(identity.federationId, id);
  }
});

test("a configuration may have two certificates, while the provider changes its key", async () => {
  const certificates = [stranger.certificate, idp.certificate];
  const { identify } = await openWorld({ certificates });

  assert.equal((await identify(signed())).principal.name, "role/reader");
  await identify(stranger.sign(responseXml(), "Assertion"));
});

test("a certificate may be given as metadata holds it, in bare Base64", async () => {
  const bare = idp.certificate.replace(/-----[A-Z ]+-----/g, "");
  const { identify } = await openWorld({ certificates: [bare] });

  assert.equal((await identify(signed())).principal.name, "role/reader");
});

test("the only configuration need not be named, one of two must be", async () => {
  const { identify, federations, saml } = await openWorld();
  const ask = { organizationId: ORGANIZATION, configurationId: undefined };

  await saml.identify({ ...ask, response: encoded(signed()) });
  const [{ id: _, createdMs: __, updatedMs: ___, ...fields }] = (await federations.listSaml(
    ORGANIZATION,
  )) as [SamlFields & { id: string; createdMs: number; updatedMs: number }];
  await federations.createSaml(ORGANIZATION, { ...fields, name: "other" });
  await assert.rejects(saml.identify({ ...ask, response: encoded(signed()) }), /name one/);
  await assert.rejects(identify(signed(), "no-such-id"), { kind: "invalid" });
});

test("an assertion is good once, in any process, and then never again", async () => {
  const { identify, clock } = await openWorld();
  const first = await identify(signed());
  const second = await identify(signed());

  const uses = await Promise.allSettled([first.use(), second.use()]);
  assert.deepEqual(uses.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  clock.move(5 * MINUTE_MS);
  await assert.rejects((await identify(signed())).use(), /used before/);
  await (await identify(signed({ id: "_assertion2" }))).use();
  await assert.rejects((await identify(idp.sign(responseXml(), "Response"))).use(), /used before/);
});

test("the provider's own session bounds what it lets in", async () => {
  const { identify, refused } = await openWorld();
  const sessionUntilMs = START_MS + 10 * MINUTE_MS;

  assert.equal((await identify(signed({ sessionUntilMs }))).sessionEndMs, sessionUntilMs);
  await refused(signed({ sessionUntilMs: START_MS }), /session is over/, "expired");
});

const LATE_MS = START_MS - 61_000;
const REFUSED: Readonly<Record<string, readonly [Said, RegExp, FederationFailure?]>> = {
  "for another audience": [{ audience: "urn:other" }, /audience/],
  "of another provider": [{ issuer: "https://other.example.com" }, /issuer/],
  "that was meant for another place": [{ recipient: "https://other.example.com" }, /Recipient/],
  "that confirms a holder of a key": [{ method: "holder-of-key" }, /bearer/],
  "that ended 61 seconds ago": [{ untilMs: LATE_MS }, /expired/, "expired"],
  "whose bearer ended 61 seconds ago": [{ bearerUntilMs: LATE_MS }, /expired/, "expired"],
  "that never ends": [{ untilMs: undefined, bearerUntilMs: START_MS }, /NotOnOrAfter is missing/],
  "whose bearer never ends": [{ bearerUntilMs: undefined }, /NotOnOrAfter is missing/],
  "that is good from 61 seconds on": [{ fromMs: START_MS + 61_000 }, /not good yet/],
  "that is good for more than a day": [{ untilMs: START_MS + 1_441 * MINUTE_MS }, /a day/],
  "of a provider that refused": [{ status: "Requester" }, /status/],
  "without a role": [{ attributes: "" }, /one value/],
  "with a role that is empty": [{ role: "" }, /role/],
  "with two roles": [{ attributes: attributeXml("reader", "admin") }, /one value/],
  "with its role twice": [{ attributes: attributeXml("reader").repeat(2) }, /one value/],
  "whose role looks like an OIDC token's": [{ role: "https://issuer.example:sub" }, /role/],
  "whose role is a wildcard": [{ role: "*" }, /role/],
  "whose role is a path": [{ role: "../admin" }, /role/],
  "whose role has an element inside": [{ role: "rea<b>der</b>" }, /role|value/],
};
for (const [what, [said, message, kind]] of Object.entries(REFUSED)) {
  test(`a response ${what} is refused`, async () => {
    const { refused } = await openWorld();

    await refused(signed(said), message, kind);
  });
}

test("clocks may be off by a minute", async () => {
  const { identify } = await openWorld();

  await identify(signed({ untilMs: START_MS - 59_000 }));
  await identify(signed({ fromMs: START_MS + 59_000 }));
});

test("a response that nobody signed, or somebody else, is refused", async () => {
  const { refused } = await openWorld();

  await refused(responseXml(), /signature/, "forged");
  await refused(stranger.sign(responseXml(), "Assertion"), /signature/, "forged");
  await refused(stranger.sign(responseXml(), "Response"), /signature/, "forged");
});

test("a certificate that a response brings along is not looked at", async () => {
  const { refused } = await openWorld();
  const bare = stranger.certificate.replace(/-----[A-Z ]+-----|\s/g, "");
  const keyInfo = `<KeyInfo><X509Data><X509Certificate>${bare}</X509Certificate></X509Data></KeyInfo>`;
  const xml = stranger.sign(responseXml(), "Assertion");

  await refused(xml.replace("</Signature>", `${keyInfo}</Signature>`), /signature/, "forged");
});

test("a response that was changed after it was signed is refused", async () => {
  const { refused } = await openWorld();

  const later = 'NotOnOrAfter="2026-01-02T03:59:00Z"';
  for (const xml of [signed(), idp.sign(responseXml(), "Response")]) {
    await refused(xml.replace(">reader<", ">admin<"), /signature/, "forged");
    await refused(xml.replace(/NotOnOrAfter="[^"]+"/g, later), /signature/, "forged");
  }
});

test("SHA-1, HMAC, and transforms that choose what is signed are refused", async () => {
  const { refused } = await openWorld();
  const hmac = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";
  const xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";

  await refused(idp.sign(responseXml(), "Assertion", "sha1"), /SignatureMethod|DigestMethod/);
  await refused(
    signed().replace(/(SignatureMethod Algorithm=")[^"]+/, `$1${hmac}`),
    /SignatureMethod/,
  );
  await refused(signed().replace(/(Transform Algorithm=")[^"]+/, `$1${xpath}`), /Transform/);
});

/** Signed assertion, and what a thief of it would rather be. */
function stolen() {
  const xml = signed();
  const [assertion = ""] = /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml) ?? [];
  const [signature = ""] = /<Signature.*<\/Signature>/s.exec(xml) ?? [];
  const evil = assertionXml({ id: "_evil", role: "admin" });
  return { xml, assertion, signature, evil, bare: assertion.replace(signature, "") };
}

/** Ways to wrap a signed assertion, from the literature. Spec: "On Breaking SAML", USENIX Security 2012. */
const WRAPPED: Readonly<Record<string, () => string>> = {
  "beside the signed one, before it": () => {
    const { xml, assertion, evil } = stolen();
    return xml.replace(assertion, evil + assertion);
  },
  "beside the signed one, after it": () => {
    const { xml, assertion, evil } = stolen();
    return xml.replace(assertion, assertion + evil);
  },
  "around the signed one": () => {
    const { xml, assertion, evil } = stolen();
    return xml.replace(
      assertion,
      evil.replace("</saml:Assertion>", `${assertion}</saml:Assertion>`),
    );
  },
  "with the signature, the signed one beside it": () => {
    const { xml, assertion, signature, bare, evil } = stolen();
    const own = evil.replace("</saml:Issuer>", `</saml:Issuer>${signature}`);
    return xml.replace(assertion, own + bare);
  },
  "with the signature, the signed one inside an Object of it": () => {
    const { xml, assertion, signature, bare, evil } = stolen();
    const holding = signature.replace("</Signature>", `<Object>${bare}</Object></Signature>`);
    return xml.replace(assertion, evil.replace("</saml:Issuer>", `</saml:Issuer>${holding}`));
  },
  "with the id of the signed one, which lies in Extensions": () => {
    const { xml, assertion, evil } = stolen();
    const twin = evil.replace("_evil", "_assertion1");
    const extensions = `<samlp:Extensions>${assertion}</samlp:Extensions>`;
    return xml.replace(assertion, extensions + twin);
  },
  "under another name space": () => {
    const { xml, assertion, evil } = stolen();
    const foreign = evil.replaceAll("saml:", "x:").replace("xmlns:x", "xmlns:saml");
    return xml.replace(assertion, `<y xmlns:x="urn:x">${foreign}</y>${assertion}`);
  },
  "in a response around the signed response": () => {
    const inner = idp.sign(responseXml(), "Response");
    const outer = responseXml({ responseId: "_evil", id: "_evil1", role: "admin" });
    return outer.replace("</samlp:Status>", `</samlp:Status>${inner}`);
  },
  "in a response that holds the signed response in its signature": () => {
    const inner = idp.sign(responseXml(), "Response");
    const [signature = ""] = /<Signature.*<\/Signature>/s.exec(inner) ?? [];
    const bare = inner.replace(signature, "");
    const holding = signature.replace("</Signature>", `<Object>${bare}</Object></Signature>`);
    const outer = responseXml({ responseId: "_evil", id: "_evil1", role: "admin" });
    return outer.replace("</saml:Issuer>", `</saml:Issuer>${holding}`);
  },
};
for (const [where, wrap] of Object.entries(WRAPPED)) {
  test(`another assertion ${where} makes nobody anybody`, async () => {
    const { refused } = await openWorld();
    const xml = wrap();

    assert.match(xml, />admin</);
    await refused(xml, /one Assertion|signature must stand|one id/);
  });
}

test("an id under another name is an id too", async () => {
  const { refused } = await openWorld();
  const { xml } = stolen();

  for (const name of ["Id", "id", "xml:id"]) {
    await refused(xml.replace("<samlp:Status>", `<samlp:Status ${name}="_assertion1">`), /one id/);
  }
});

test("what readers of XML disagree about is refused: comments, entities, instructions, CDATA", async () => {
  const { refused } = await openWorld();
  const xml = signed({ role: "reader-admin" });

  // The signature holds, for canonical XML has no comments.
  await refused(xml.replace("reader-admin", "reader<!-- -->-admin"), /holds what none should/);
  await refused(xml.replace("reader-admin", "reader<?x?>-admin"), /holds what none should/);
  await refused(xml.replace("reader-admin", "<![CDATA[reader-admin]]>"), /holds what none should/);
  for (const dtd of [
    '<!DOCTYPE x [<!ENTITY e "admin">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x">',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
  ]) {
    await refused(dtd + xml.replace("reader-admin", "&e;"), /holds what none should/);
    await refused(dtd + xml, /holds what none should/);
  }
});

test("an encrypted assertion is refused in words", async () => {
  const { refused } = await openWorld();

  await refused(responseXml().replaceAll("saml:Assertion", "saml:EncryptedAssertion"), /encrypted/);
});

test("what is no response, or a huge or a deep one, is refused before its signature is looked at", async () => {
  const { saml, id, refused } = await openWorld();
  const ask = { organizationId: ORGANIZATION, configurationId: id };

  for (const response of ["", "%", "====", "a".repeat(200_000), encoded("\uFEFF"), "gICA"]) {
    await assert.rejects(saml.identify({ ...ask, response }), { kind: "invalid" });
  }
  await refused("<a/>", /one Response/);
  await refused(assertionXml(), /one Response/);
  await refused(signed({ attributes: "<a>".repeat(50) + "</a>".repeat(50) }), /XML/);
  await refused(signed({ attributes: "<a/>".repeat(1_000) }), /XML/);
  const crowded = `<a ${Array.from({ length: 1_000 }, (_, at) => `b${at}="1"`).join(" ")}/>`;
  await refused(signed({ attributes: crowded }), /over 1000 attributes/);
  await refused(signed({ role: "r".repeat(131_072) }), /Base64/);
  await refused(signed().replace("</samlp:Response>", ""), /XML/);
});

test("the name of an attribute is what it is, and not what it contains", async () => {
  const { refused } = await openWorld();
  const attributes = attributeXml("admin").replace(ROLE, `${ROLE}s`);

  await refused(signed({ attributes }), /one value/);
});
