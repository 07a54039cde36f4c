import { z } from "zod";
import { empty, message, text, timestamp, timestampOf } from "#admin/message.ts";
import { type Operation, operation, type RequestView, type Services } from "#admin/operation.ts";
import { nextPageToken, pageFields, pageOf, rowsSource } from "#admin/page.ts";
import { ControlError } from "#base/control-error.ts";
import type { Organization } from "#catalog/organizations.ts";
import type { DamagedRow, Row } from "#catalog/table.ts";

const organizationView = z.object({ orgId: text, name: text, creationTime: timestamp });

const createOrganization = operation({
  name: "CreateOrganization",
  summary: "Make an organization. Its id is made when none is given, and is never used again.",
  method: "POST",
  path: "/v1/lode/organization",
  needs: "operator",
  input: message({ orgId: text.optional(), name: text }),
  output: organizationView,
  run: async ({ organizations }, { orgId, name }) => {
    const id = await organizations.create({ id: orgId, name });
    return shown(await organizations.get(id));
  },
});

const listOrganizations = operation({
  name: "ListOrganizations",
  summary: "List all organizations.",
  method: "GET",
  path: "/v1/lode/organization",
  needs: "operator",
  input: message(pageFields),
  output: z.object({ organizations: z.array(organizationView), nextPageToken }),
  run: async ({ organizations, clock, request }, wanted) => {
    const source = rowsSource(async (ask) => await organizations.list(ask));
    const { items, nextPageToken } = await pageOf(source, wanted, clock);
    const there = items.filter((row) => "damage" in row || row.value.deletedMs === undefined);
    return { organizations: there.map((row) => listed(row, request)), nextPageToken };
  },
});

const getOrganization = operation({
  name: "GetOrganization",
  summary: "Tell about an organization.",
  method: "GET",
  path: "/v1/lode/organization/{orgId}",
  needs: "operator",
  input: message({ orgId: text }),
  output: organizationView,
  run: async ({ organizations }, { orgId }) => shown(await organizations.get(orgId)),
});

const deleteOrganization = operation({
  name: "DeleteOrganization",
  summary: "Delete an organization that has neither buckets nor users nor identity providers.",
  method: "DELETE",
  path: "/v1/lode/organization/{orgId}",
  needs: "operator",
  input: message({ orgId: text }),
  output: empty,
  run: async (services, { orgId }) => {
    if (orgId === services.firstOrganizationId) {
      throw new ControlError("FailedPrecondition", "the first organization cannot be deleted");
    }
    await services.organizations.get(orgId);
    await requireEmpty(services, orgId);
    const about = { organizationId: orgId, identifier: orgId };
    return await services.request.silencing(about, async () => {
      // Without policies nothing of it is allowed any more.
      for (const [name] of await services.policies.list(orgId)) {
        await services.policies.delete(orgId, name);
      }
      await services.organizations.remove(orgId);
      return {};
    });
  },
});

export const organization: readonly Operation[] = [
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
];

type Shown = Pick<Organization, "name" | "createdMs">;

function shown({ id, value }: { readonly id: string; readonly value: Shown }) {
  return { orgId: id, name: value.name, creationTime: timestampOf(value.createdMs) };
}

/** One whose record cannot be read has no more than its id. */
function listed(row: Row<Organization> | DamagedRow, { damaged }: RequestView) {
  if (!("damage" in row)) return shown(row);
  damaged(row.damage);
  return shown({ id: row.id, value: { name: "", createdMs: 0 } });
}

/** Fails: FailedPrecondition. */
async function requireEmpty(services: Services, organizationId: string): Promise<void> {
  const { catalog, users, federations } = services;
  const { rows } = await catalog.list({ organizationId, prefix: "", after: "", limit: 1 });
  const counts = {
    buckets: rows.length,
    users: (await users.list(organizationId, { after: "", limit: 1 })).length,
    "OIDC providers": (await federations.listOidc(organizationId)).length,
    "SAML providers": (await federations.listSaml(organizationId)).length,
  };
  const left = Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [what] : []));
  if (left.length === 0) return;
  const message = `organization "${organizationId}" still has ${left.join(" and ")}: delete them first`;
  throw new ControlError("FailedPrecondition", message);
}
