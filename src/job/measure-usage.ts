import type { UsageMetrics } from "#base/metrics.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import { type OrganizationLimits, zoneQuotas } from "#catalog/organization-limits.ts";
import { damageOf } from "#catalog/record-shape.ts";
import { STORAGE_CLASSES } from "#object/attributes.ts";
import { countedBytes } from "#object/usage.ts";
import type { UsageCounters } from "#versioned/usage-counters.ts";

/** So many zones of organizations are shown at the most, the first by their names. */
const ZONES_MAX = 500;

/** Sets the gauges to what the counters and the quotas say now. */
export async function measureUsage(
  { bytes, quotaBytes }: UsageMetrics,
  from: {
    readonly counters: UsageCounters;
    readonly policies: Pick<AccessPolicies, "standing">;
  },
): Promise<void> {
  const zones = await from.counters.zones(undefined, ZONES_MAX);
  const limits = new Map(
    await Promise.all(
      [...new Set(zones.map((each) => each.organizationId))].map(
        async (id) => [id, await limitsOf(from.policies, id)] as const,
      ),
    ),
  );
  bytes.reset();
  quotaBytes.reset();
  for (const { organizationId, zone, usage } of zones) {
    const of = limits.get(organizationId);
    const quotas = of && zoneQuotas(of, zone);
    for (const storageClass of STORAGE_CLASSES) {
      const labels = { organization: organizationId, zone, class: storageClass };
      bytes.set(labels, countedBytes(usage, storageClass));
      const quota = quotas?.[storageClass];
      if (quota !== undefined) quotaBytes.set(labels, quota);
    }
  }
}

/** undefined when they cannot be read: what is held is shown all the same. */
async function limitsOf(
  policies: Pick<AccessPolicies, "standing">,
  organizationId: string,
): Promise<OrganizationLimits | undefined> {
  try {
    return (await policies.standing(organizationId)).limits;
  } catch (cause) {
    damageOf(cause);
    return undefined;
  }
}
