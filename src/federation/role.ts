import type { Principal } from "#access/principal.ts";
import { FederationError } from "#federation/federation-error.ts";

/** Without a colon, so that no provider's role is what an issuer and a subject make. */
const ROLE = /^[\w+=,.@-]{1,128}$/;
const SUBJECT_CHARS_MAX = 512;
/** Printable, and without what a policy would read as a wildcard. */
const SUBJECT = /^(?! )[\x20-)+->@-~]+(?<! )$/;

/** `role/<role>`, which a provider names in so many words. Fails: FederationError "invalid". */
export function namedRole(organizationId: string, role: string): Principal {
  if (ROLE.test(role)) return principalOf(organizationId, role);
  const message = "the role it names must have 1 to 128 of A-Z a-z 0-9 _ + = , . @ -";
  throw new FederationError("invalid", message);
}

/** `role/<issuer>:<subject>`. Fails: FederationError "invalid". */
export function subjectRole(
  organizationId: string,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
): Principal {
  if (subject.length <= SUBJECT_CHARS_MAX && SUBJECT.test(subject)) {
    return principalOf(organizationId, `${issuer}:${subject}`);
  }
  const message = `its subject (sub) must have 1 to ${SUBJECT_CHARS_MAX} printable characters, without * and ?`;
  throw new FederationError("invalid", message);
}

function principalOf(organizationId: string, role: string): Principal {
  return { kind: "role", organizationId, name: `role/${role}`, groups: [] };
}
