import type { AccessPolicies, Standing } from "#catalog/access-policies.ts";

/** As policies and limits of an organization stand. */
export type FindStanding = (organizationId: string) => Promise<Standing>;

/** A request sees each organization as it stood when it first asked. */
export function requestOrganizations(policies: Pick<AccessPolicies, "standing">): FindStanding {
  const known = new Map<string, Promise<Standing>>();
  return (organizationId) => {
    const standing = known.get(organizationId) ?? policies.standing(organizationId);
    known.set(organizationId, standing);
    return standing;
  };
}
