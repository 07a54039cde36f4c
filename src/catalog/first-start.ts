import type { Principal } from "#access/principal.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Identities } from "#catalog/identities.ts";
import { isText } from "#catalog/record-shape.ts";
import { Table } from "#catalog/table.ts";
import { type UserName, userPrincipal } from "#catalog/users.ts";
import type { MetaStore } from "#meta/store.ts";

const ID = "administrator";
/** Of the administrator, in the first organization. */
export const ADMINISTRATOR_UID = "admin";

interface FirstParts {
  readonly meta: MetaStore;
  readonly identities: Identities;
  readonly catalog: Catalog;
}

/**
 * The administrator of the first organization, whom the root key stands for. The first start makes
 * both, with a policy that lets the administrator in, so that a new server needs nothing.
 *
 * To be called by one process, before others serve.
 */
export async function firstAdministrator({
  meta,
  identities,
  catalog,
}: FirstParts): Promise<Principal> {
  const table = new Table<UserName>(meta, "M", { organizationId: isText, uid: isText });
  const known = await table.find(ID);
  if (known !== undefined) return userPrincipal(known.value, []);
  const { organizations, users, policies } = identities;
  const organizationId = await organizations.create({ name: "default" });
  const uid = await users.create(organizationId, {
    uid: ADMINISTRATOR_UID,
    name: "Administrator",
    groups: [],
  });
  await policies.ensure(organizationId, administratorPolicy(uid));
  await catalog.adopt(organizationId);
  const administrator = { organizationId, uid };
  // Last: a start that was cut off before begins again, and leaves an organization that nobody uses.
  await meta.commit({ guards: [table.guard(ID)], writes: [table.write(ID, administrator)] });
  return userPrincipal(administrator, []);
}

function administratorPolicy(uid: string): string {
  const statement = {
    name: "everything",
    effect: "Allow",
    actions: ["s3:*", "cwobject:*"],
    resources: ["*"],
    principals: [`coreweave/${uid}`],
  };
  return JSON.stringify({ version: "v1alpha1", name: "administrator", statements: [statement] });
}
