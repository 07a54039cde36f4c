import type { SamlConfiguration } from "#catalog/saml-configuration.ts";
import { FederationError } from "#federation/federation-error.ts";
import { invalid } from "#federation/saml-document.ts";

/**
 * The assertion of a response, as its signature covers it: on itself, or on the response around it.
 * Certificates in the response are not looked at. The library's clock is not ours, so times are left to
 * whoever reads the assertion.
 *
 * The library is loaded here, at the first response: most servers never see one.
 *
 * Fails: FederationError "forged", "invalid".
 */
export async function verifiedAssertion(
  xml: string,
  { audience, acsUrl, certificates }: SamlConfiguration,
): Promise<string> {
  const { SAML } = await import("@node-saml/node-saml");
  const saml = new SAML({
    audience,
    issuer: audience,
    // Asked for, and used only in requests, which we never make.
    callbackUrl: acsUrl ?? audience,
    idpCert: [...certificates],
    wantAssertionsSigned: false,
    wantAuthnResponseSigned: false,
    acceptedClockSkewMs: -1,
  });
  try {
    const SAMLResponse = Buffer.from(xml).toString("base64");
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse });
    const assertion = profile?.getAssertionXml?.();
    if (assertion !== undefined) return assertion;
  } catch (cause) {
    throw refusalOf(cause);
  }
  throw invalid("it has no signed assertion");
}

function refusalOf(cause: unknown): FederationError {
  const message = cause instanceof Error ? cause.message : "";
  if (/audience/i.test(message)) {
    return invalid("its audience is not the one that is configured", cause);
  }
  const time = /^Error parsing (\w+)/.exec(message)?.[1];
  if (time !== undefined) return invalid(`its ${time} is missing, or no time`, cause);
  const forged = "Invalid SAML response: its signature is not the provider's";
  return new FederationError("forged", forged, cause);
}
