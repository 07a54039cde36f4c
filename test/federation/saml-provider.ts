/**
 * A SAML identity provider: responses as its own XML, signed where a test wants them to be.
 *
 *     const idp = makeProvider();
 *     const xml = idp.sign(idp.response({ role: "reader" }), "Assertion");
 *     encoded(xml);                                    // what a client sends
 */
import { signXml } from "@node-saml/node-saml/lib/xml.js";
import { makeKeyAndCertificate } from "#test/federation/certificate.ts";
import { START_MS } from "#test/support/server.ts";

export const ENTITY_ID = "https://idp.example.com/metadata";
export const AUDIENCE = "urn:lode:test";
export const ACS_URL = "https://storage.example.com/saml";
export const ROLE = "https://coreweave.com/SAML/Attributes/Role";
export const MINUTE_MS = 60_000;

export interface Said {
  readonly id?: string;
  readonly responseId?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly recipient?: string;
  readonly method?: string;
  readonly status?: string;
  readonly fromMs?: number;
  /** Five minutes from the start when absent; undefined: it is left out. */
  readonly untilMs?: number | undefined;
  readonly bearerUntilMs?: number | undefined;
  readonly sessionUntilMs?: number;
  readonly role?: string;
  /** In place of the one attribute with the role. */
  readonly attributes?: string;
}

export interface Provider {
  readonly certificate: string;
  readonly privateKey: string;
  readonly sign: (
    xml: string,
    what: "Assertion" | "Response",
    algorithm?: "sha1" | "sha256" | "sha512",
  ) => string;
}

export function makeProvider(): Provider {
  const { privateKey, certificate } = makeKeyAndCertificate();
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    certificate,
    privateKey: pem,
    sign: (xml, what, algorithm = "sha256") =>
      signXml(
        xml,
        `//*[local-name(.)='${what}']`,
        { reference: `//*[local-name(.)='${what}']/*[local-name(.)='Issuer']`, action: "after" },
        { privateKey: pem, signatureAlgorithm: algorithm, digestAlgorithm: algorithm },
      ),
  };
}

export function encoded(xml: string): string {
  return Buffer.from(xml).toString("base64");
}

export function responseXml(said: Said = {}): string {
  const { responseId = "_response1", status = "Success" } = said;
  const code = `urn:oasis:names:tc:SAML:2.0:status:${status}`;
  return (
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${responseId}" Version="2.0" IssueInstant="${time(START_MS)}">` +
    `<saml:Issuer>${said.issuer ?? ENTITY_ID}</saml:Issuer>` +
    `<samlp:Status><samlp:StatusCode Value="${code}"/></samlp:Status>` +
    `${assertionXml(said)}</samlp:Response>`
  );
}

export function assertionXml(said: Said = {}): string {
  const { id = "_assertion1", method = "bearer", role = "reader", fromMs = START_MS } = said;
  const untilMs = "untilMs" in said ? said.untilMs : START_MS + 5 * MINUTE_MS;
  const bearerMs = "bearerUntilMs" in said ? said.bearerUntilMs : untilMs;
  const until = (ms: number | undefined) => (ms === undefined ? "" : ` NotOnOrAfter="${time(ms)}"`);
  const session = said.sessionUntilMs;
  const sessionEnd = session === undefined ? "" : ` SessionNotOnOrAfter="${time(session)}"`;
  return (
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${time(START_MS)}">` +
    `<saml:Issuer>${said.issuer ?? ENTITY_ID}</saml:Issuer>` +
    `<saml:Subject><saml:NameID>ada@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:${method}">` +
    `<saml:SubjectConfirmationData Recipient="${said.recipient ?? ACS_URL}"${until(bearerMs)}/></saml:SubjectConfirmation></saml:Subject>` +
    `<saml:Conditions NotBefore="${time(fromMs)}"${until(untilMs)}>` +
    `<saml:AudienceRestriction><saml:Audience>${said.audience ?? AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
    `<saml:AuthnStatement AuthnInstant="${time(START_MS)}"${sessionEnd}/>` +
    `<saml:AttributeStatement>${said.attributes ?? attributeXml(role)}</saml:AttributeStatement></saml:Assertion>`
  );
}

export function attributeXml(...roles: readonly string[]): string {
  const values = roles.map((role) => `<saml:AttributeValue>${role}</saml:AttributeValue>`);
  return `<saml:Attribute Name="${ROLE}">${values.join("")}</saml:Attribute>`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
