import type { OrganizationPolicy } from "#access/organization-policy.ts";
import { Rules } from "#access/rules.ts";

/** All policies of one organization as one. Made once for each of their revisions. */
export function organizationRules(policies: readonly OrganizationPolicy[]): Rules {
  return new Rules(policies.flatMap(({ statements }) => statements));
}
