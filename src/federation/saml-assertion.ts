import type { AttributedElement } from "#base/xml.ts";
import type { SamlConfiguration } from "#catalog/saml-configuration.ts";
import { FederationError } from "#federation/federation-error.ts";
import { invalid } from "#federation/saml-document.ts";

/** What a signed assertion says. */
export interface SamlAssertion {
  readonly id: string;
  readonly role: string;
  /** It is refused from then on. */
  readonly endMs: number;
  /** When the provider's own session ends, if it says so. */
  readonly sessionEndMs: number | undefined;
}

const ROLE = "https://coreweave.com/SAML/Attributes/Role";
const BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/** How far the clocks of providers may be off. */
const LEEWAY_MS = 60_000;
/** Until it ends, its id is remembered. */
const LIFE_MS_MAX = 86_400_000;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * Reads an assertion whose signature and audience have been checked.
 *
 * Spec: https://docs.oasis-open.org/security/saml/v2.0/saml-core-2.0-os.pdf and, of the bearer,
 * saml-profiles-2.0-os.pdf 4.1.4.3
 * Fails: FederationError "invalid", "expired".
 */
export function readAssertion(
  assertion: AttributedElement,
  { idpEntityId, acsUrl }: SamlConfiguration,
  nowMs: number,
): SamlAssertion {
  const id = assertion.attributes["ID"];
  if (id === undefined || id === "") throw invalid("its assertion has no ID");
  if (one(assertion, "Issuer").text.trim() !== idpEntityId) {
    throw invalid("its issuer is not the provider that is configured");
  }
  const conditions = one(assertion, "Conditions");
  const endMs = Math.min(
    endOf(conditions, nowMs),
    bearerEnd(one(assertion, "Subject"), { acsUrl, nowMs }),
  );
  if (endMs > nowMs + LIFE_MS_MAX) throw invalid("it is good for more than a day");
  return { id, role: roleOf(assertion), endMs, sessionEndMs: sessionEnd(assertion, nowMs) };
}

/** From when on it is refused. Fails: FederationError "invalid", "expired". */
function endOf({ name, attributes }: AttributedElement, nowMs: number): number {
  const fromMs = timeOf(attributes["NotBefore"]);
  if (fromMs !== undefined && fromMs > nowMs + LEEWAY_MS) throw invalid("it is not good yet");
  const endMs = timeOf(attributes["NotOnOrAfter"]);
  if (endMs === undefined) throw invalid(`its ${name} has no end (NotOnOrAfter)`);
  if (endMs + LEEWAY_MS > nowMs) return endMs + LEEWAY_MS;
  throw new FederationError("expired", "Invalid SAML response: it has expired (NotOnOrAfter)");
}

/** Whoever bears the assertion is who it speaks of, here and until then. */
function bearerEnd(
  subject: AttributedElement,
  { acsUrl, nowMs }: { readonly acsUrl: string | undefined; readonly nowMs: number },
): number {
  const bearer = subject.children.filter(
    ({ name, attributes }) => name === "SubjectConfirmation" && attributes["Method"] === BEARER,
  );
  const data = bearer.flatMap(({ children }) =>
    children.filter(({ name }) => name === "SubjectConfirmationData"),
  );
  const [only, ...more] = data;
  if (only === undefined || more.length > 0) throw invalid("it must confirm one bearer");
  if (acsUrl !== undefined && only.attributes["Recipient"] !== acsUrl) {
    throw invalid("its Recipient is not the URL that is configured");
  }
  return endOf(only, nowMs);
}

function roleOf({ children }: AttributedElement): string {
  const attributes = children
    .filter(({ name }) => name === "AttributeStatement")
    .flatMap((statement) => statement.children)
    .filter(({ name, attributes }) => name === "Attribute" && attributes["Name"] === ROLE);
  const values = attributes.flatMap((attribute) =>
    attribute.children.filter(({ name }) => name === "AttributeValue"),
  );
  const [value, ...more] = values;
  const isText = value?.children.length === 0;
  if (isText && more.length === 0) return value.text.trim();
  throw invalid(`it must have the attribute ${ROLE} with one value`);
}

function sessionEnd({ children }: AttributedElement, nowMs: number): number | undefined {
  const ends = children
    .filter(({ name }) => name === "AuthnStatement")
    .flatMap(({ attributes }) => timeOf(attributes["SessionNotOnOrAfter"]) ?? []);
  if (ends.length === 0) return undefined;
  const endMs = Math.min(...ends);
  if (endMs > nowMs) return endMs;
  const message = "Invalid SAML response: the provider's session is over (SessionNotOnOrAfter)";
  throw new FederationError("expired", message);
}

/** Fails: FederationError "invalid" unless there is exactly one. */
function one({ children }: AttributedElement, wanted: string): AttributedElement {
  const [only, ...more] = children.filter(({ name }) => name === wanted);
  if (only !== undefined && more.length === 0) return only;
  throw invalid(`its assertion must have one ${wanted}`);
}

/** In UTC, as SAML has it. Fails: FederationError "invalid". */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`"${text.slice(0, 64)}" is no time in UTC`);
  return ms;
}
