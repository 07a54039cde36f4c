import { type AttributedElement, readSignedXml } from "#base/xml.ts";
import { FederationError } from "#federation/federation-error.ts";

const XML_BYTES_MAX = 128 * 1_024;
/** What it costs to check a signature grows with these: some 100 ms for as many, whoever sent it. */
const ELEMENTS_MAX = 500;
const ATTRIBUTES_MAX = 1_000;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Not SHA-1, which the library would take. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  SignatureMethod: [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
  ],
  DigestMethod: [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512",
  ],
  CanonicalizationMethod: [
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
  ],
  Transform: [
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
  ],
};
const SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success";

/**
 * The XML of a response that can mean one thing only, before its signature is looked at: one Response
 * around one Assertion, signatures only where they belong, no id twice. What attackers wrap around a
 * signed assertion, so that the one that was checked is not the one that is read, has no such form.
 *
 * Fails: FederationError "invalid".
 */
export function readSamlDocument(base64: string): string {
  const compact = base64.replace(/\s+/g, "");
  if (!BASE64.test(compact) || compact.length > (XML_BYTES_MAX * 4) / 3 + 4) {
    throw invalid(`it is no Base64 of at most ${XML_BYTES_MAX} bytes`);
  }
  const xml = decoded(compact);
  const root = parsed(xml);
  const all = [...within(root)];
  const attributes = all.flatMap((element) => Object.keys(element.attributes));
  if (attributes.length > ATTRIBUTES_MAX) throw invalid(`it has over ${ATTRIBUTES_MAX} attributes`);
  requireOneAssertion(root, all);
  requireSuccess(root);
  requireOwnIds(all);
  for (const element of all) requireAlgorithm(element);
  return xml;
}

/** Reads what has been verified. Fails: FederationError "invalid". */
export function parsed(xml: string): AttributedElement {
  try {
    return readSignedXml(xml, ELEMENTS_MAX);
  } catch (cause) {
    throw invalid("it is no XML, or holds what none should", cause);
  }
}

export function invalid(problem: string, cause?: unknown): FederationError {
  return new FederationError("invalid", `Invalid SAML response: ${problem}`, cause);
}

function decoded(base64: string): string {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(Buffer.from(base64, "base64"));
  } catch (cause) {
    throw invalid("it is not UTF-8", cause);
  }
}

function* within(element: AttributedElement): Iterable<AttributedElement> {
  yield element;
  for (const child of element.children) yield* within(child);
}

function requireOneAssertion(root: AttributedElement, all: readonly AttributedElement[]): void {
  const named = (name: string) => all.filter((element) => element.name === name);
  const [assertion, ...more] = named("Assertion");
  if (named("EncryptedAssertion").length > 0) {
    throw invalid("its assertion is encrypted, which is not supported: send it signed, over TLS");
  }
  const isChild = assertion !== undefined && root.children.includes(assertion);
  if (root.name !== "Response" || named("Response").length > 1 || !isChild || more.length > 0) {
    throw invalid("it must be one Response that holds one Assertion");
  }
  const signatures = named("Signature");
  const places = [root, assertion].map(({ children }) => children);
  const inPlace = signatures.every((each) => places.some((children) => children.includes(each)));
  const crowded = places.some(
    (children) => children.filter(({ name }) => name === "Signature").length > 1,
  );
  if (!inPlace || crowded) {
    throw invalid("a signature must stand right in the Response or the Assertion, one in each");
  }
}

function requireSuccess({ children }: AttributedElement): void {
  const [status, ...more] = children.filter(({ name }) => name === "Status");
  const code = status?.children.find(({ name }) => name === "StatusCode")?.attributes["Value"];
  if (code === SUCCESS && more.length === 0) return;
  throw invalid(`the provider's status is not Success but ${String(code).slice(0, 200)}`);
}

function requireOwnIds(all: readonly AttributedElement[]): void {
  const ids = new Set<string>();
  for (const { attributes } of all) {
    for (const [name, value] of Object.entries(attributes)) {
      if (!/^(?:.*:)?id$/i.test(name)) continue;
      if (ids.has(value)) throw invalid("two of its elements have one id");
      ids.add(value);
    }
  }
}

function requireAlgorithm({ name, attributes }: AttributedElement): void {
  const known = ALGORITHMS[name];
  if (known === undefined || known.includes(attributes["Algorithm"] ?? "")) return;
  throw invalid(`its ${name} is not one of ${known.join(", ")}`);
}
