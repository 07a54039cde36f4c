import { entriesOf, oneOrMany, type Place, textAt } from "#access/place.ts";
import { PolicyError, quote } from "#access/policy-error.ts";
import type { Named } from "#access/principal.ts";

/** Whom a Principal element names. */
export interface BucketPrincipals {
  readonly everyone: boolean;
  readonly includes: (principal: Named) => boolean;
}

const LIST_MAX = 1_000;
const ARN = /^arn:aws:iam::([A-Za-z0-9-]{1,64}):(.+)$/;
/** Names of principals, as `coreweave/<user>`; a SAML role has an older name too. */
const NAME = /^(?:coreweave|role|static|saml)\/[^*]+$/;
const INVALID = "Invalid principal in policy";

/**
 * Reads `"*"`, or an object of `AWS` and `CW`, which mean the same.
 *
 * Spec: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * Fails: PolicyError.
 */
export function readBucketPrincipals(place: Place): BucketPrincipals {
  if (place.value === "*") return { everyone: true, includes: () => true };
  if (typeof place.value === "string") {
    const mend = 'Write "*", or {"AWS": …} around it.';
    throw new PolicyError(place.path, `${INVALID}: ${quote(place.value)}. ${mend}`);
  }
  const entries = entriesOf(place);
  if (entries.length === 0) throw new PolicyError(place.path, `${INVALID}: it names nobody.`);
  const texts = entries.flatMap(([kind, list]) => {
    if (kind !== "AWS" && kind !== "CW") {
      throw new PolicyError(
        list.path,
        `${INVALID}: ${quote(kind)} is no kind. Write "AWS" or "CW".`,
      );
    }
    return oneOrMany(list, LIST_MAX).map(textAt);
  });
  return principalsOf(texts);
}

function principalsOf(texts: readonly Place<string>[]): BucketPrincipals {
  const organizations = new Set<string>();
  const names: { readonly organizationId: string; readonly name: string }[] = [];
  for (const place of texts) {
    if (place.value === "*") continue;
    const { organizationId, name } = readPrincipal(place);
    if (name === undefined) organizations.add(organizationId);
    else names.push({ organizationId, name });
  }
  if (texts.some(({ value }) => value === "*")) return { everyone: true, includes: () => true };
  const includes = ({ kind, organizationId, name }: Named) => {
    if (organizationId === undefined) return false;
    // A service is of no organization, whatever stands before its name.
    if (kind !== "service" && organizations.has(organizationId)) return true;
    // Should an organization be called as they are, its people are no services.
    if ((kind === "service") !== isServiceName(organizationId, name)) return false;
    return names.some((each) => each.name === name && each.organizationId === organizationId);
  };
  return { everyone: false, includes };
}

/** As `coreweave:static/audit-logs` or `static:role/static/inventory`. */
function isServiceName(organizationId: string, name: string): boolean {
  return organizationId === "static" || name.startsWith("static/");
}

interface NamedPrincipal {
  readonly organizationId: string;
  /** Undefined for all of the organization. */
  readonly name: string | undefined;
}

function readPrincipal({ path, value }: Place<string>): NamedPrincipal {
  const [, organizationId, name = ""] = ARN.exec(value) ?? [];
  if (organizationId === undefined) {
    const mend =
      'Write "*", "arn:aws:iam::<organization>:*" or "arn:aws:iam::<organization>:coreweave/<user>".';
    throw new PolicyError(path, `${INVALID}: ${quote(value)} is no ARN of a principal. ${mend}`);
  }
  // AWS's name for an account is the name of its root.
  if (name === "*" || name === "root") return { organizationId, name: undefined };
  if (!NAME.test(name)) {
    const mend = name.includes("*")
      ? "For a part of a name use the condition ArnLike on aws:PrincipalArn."
      : "A user is coreweave/<user>, a role role/<role>.";
    throw new PolicyError(path, `${INVALID}: ${quote(name)} is no name. ${mend}`);
  }
  return { organizationId, name: name.replace(/^saml\//, "role/") };
}
