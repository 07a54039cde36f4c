import { X509Certificate } from "node:crypto";
import { checkName, refused } from "#catalog/oidc-configuration.ts";

/** A SAML identity provider that an organization trusts to name the roles of its people. */
export interface SamlConfiguration {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** The provider's entity id: the Issuer of its assertions. */
  readonly idpEntityId: string;
  /** In PEM; several while the provider changes its key. */
  readonly certificates: readonly string[];
  /** Our entity id, as the provider knows it: what assertions are restricted to. */
  readonly audience: string;
  /** Where the provider sends its answers: the Recipient of assertions. undefined: any. */
  readonly acsUrl: string | undefined;
  readonly active: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export type SamlFields = Omit<SamlConfiguration, "id" | "createdMs" | "updatedMs">;

const URI = /^[\x21-\x7e]{1,1024}$/;
/** Each is tried. */
const CERTIFICATES_MAX = 2;
const CERTIFICATE_CHARS_MAX = 16_384;
const RSA_BITS_MIN = 2_048;

/**
 * The fields, certificates spelled in one way. Of a certificate the key alone is used: the provider's
 * word that it is theirs is what the configuration is, so dates and issuers are not looked at.
 *
 * Fails: InvalidArgument, which says what is wrong.
 */
export function checkSaml(fields: SamlFields): SamlFields {
  checkName(fields);
  const { idpEntityId, certificates, audience, acsUrl } = fields;
  for (const [field, value] of Object.entries({ idpEntityId, audience, acsUrl })) {
    if (value === undefined || URI.test(value)) continue;
    throw refused(field, "give 1 to 1024 visible characters without spaces");
  }
  if (certificates.length === 0 || certificates.length > CERTIFICATES_MAX) {
    throw refused("certificates", `give 1 to ${CERTIFICATES_MAX}`);
  }
  return { ...fields, certificates: certificates.map(normalCertificate) };
}

/** PEM, from PEM or from the bare Base64 that metadata documents hold. */
function normalCertificate(text: string, index: number): string {
  const certificate = readCertificate(text);
  const field = `certificates[${index}]`;
  if (certificate === undefined) throw refused(field, "give an X.509 certificate in PEM");
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (asymmetricKeyType === "rsa" && bits >= RSA_BITS_MIN) return certificate.toString();
  throw refused(field, `its key must be RSA of ${RSA_BITS_MIN} bits or more`);
}

function readCertificate(text: string): X509Certificate | undefined {
  if (text.length > CERTIFICATE_CHARS_MAX) return undefined;
  const pem = text.includes("-----BEGIN") ? text : Buffer.from(text, "base64");
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
