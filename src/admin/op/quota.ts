import { z } from "zod";
import { empty, message, text, uint64, uint64Text } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import { STORAGE_CLASSES } from "#object/attributes.ts";
import { countedBytes } from "#object/usage.ts";

/** Without one: STANDARD. */
const storageClass = z.enum(STORAGE_CLASSES);
const ORGANIZATION = "the first when it is left out";

const quota = z.object({
  zone: text,
  storageClass,
  bytes: uint64Text,
  usedBytes: uint64Text.describe("versions and parts of unfinished uploads, by their logical size"),
});

const listQuotas = operation({
  name: "ListQuotas",
  summary: "List the quotas of the organization, and how far they are used.",
  method: "GET",
  path: "/v1/lode/quotas",
  needs: "cwobject:ListQuotas",
  input: empty,
  output: z.object({ quotas: z.array(quota) }),
  run: async ({ quotas, zonesOf, organizationId }) => {
    const zones = new Map((await zonesOf(organizationId)).map(({ zone, usage }) => [zone, usage]));
    const all = await quotas.list(organizationId);
    return {
      quotas: all.map(({ zone, storageClass, bytes }) => {
        const usage = zones.get(zone);
        const used = usage === undefined ? 0 : countedBytes(usage, storageClass);
        return { zone, storageClass, bytes: String(bytes), usedBytes: shown(used) };
      }),
    };
  },
});

const setQuota = operation({
  name: "SetQuota",
  summary: "Say how much an organization may hold in a zone, of a storage class.",
  method: "PUT",
  path: "/v1/lode/quotas",
  needs: "operator",
  input: message({
    orgId: text.optional().describe(ORGANIZATION),
    zone: text.describe("as the buckets' location"),
    storageClass: storageClass.optional().describe("STANDARD when it is left out"),
    bytes: uint64.describe("0: nothing more may be written"),
  }),
  output: empty,
  run: async (services, { orgId, zone, storageClass = "STANDARD", bytes }) => {
    const organizationId = orgId ?? services.organizationId;
    await services.organizations.get(organizationId);
    await services.quotas.set(organizationId, { zone, storageClass, bytes });
    return {};
  },
});

const deleteQuota = operation({
  name: "DeleteQuota",
  summary: "Take a quota away: the organization may hold as much as there is space.",
  method: "DELETE",
  path: "/v1/lode/quotas/{zone}/{storageClass}",
  needs: "operator",
  input: message({ orgId: text.optional().describe(ORGANIZATION), zone: text, storageClass }),
  output: empty,
  run: async ({ quotas, organizationId }, { orgId = organizationId, zone, storageClass }) => {
    await quotas.delete(orgId, { zone, storageClass });
    return {};
  },
});

export const quotaOperations: readonly Operation[] = [deleteQuota, listQuotas, setQuota];

/** Until a recount has put it right, a counter may be wrong, and below zero. */
function shown(count: number): string {
  return String(Math.max(0, count));
}
