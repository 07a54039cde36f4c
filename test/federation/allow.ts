import type { Identities } from "#catalog/identities.ts";

interface Allowed {
  readonly organizationId: string;
  readonly principal: string;
  readonly actions: readonly string[];
}

/** A policy that allows a principal some actions, on everything. */
export async function allow(
  { policies }: Pick<Identities, "policies">,
  { organizationId, principal, actions }: Allowed,
): Promise<void> {
  const name = principal.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 100);
  const statement = { effect: "Allow", actions, resources: ["*"], principals: [principal] };
  const document = { version: "v1alpha1", name, statements: [{ name: "allow", ...statement }] };
  await policies.ensure(organizationId, JSON.stringify(document));
}
