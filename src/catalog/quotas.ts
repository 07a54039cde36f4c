import { ControlError } from "#base/control-error.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import { type OrganizationLimits, type Rates, zoneQuotas } from "#catalog/organization-limits.ts";
import { STORAGE_CLASSES, type StorageClass } from "#object/attributes.ts";

/** What an organization may hold in a zone, of a storage class. */
export interface Quota {
  readonly zone: string;
  readonly storageClass: StorageClass;
  readonly bytes: number;
}

type QuotaName = Pick<Quota, "zone" | "storageClass">;

const ZONE = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;
const ZONES_MAX = 100;

/** Quotas of organizations, and the rates of their principals. They count with the next request. */
export class Quotas {
  readonly #policies: AccessPolicies;

  constructor(policies: AccessPolicies) {
    this.#policies = policies;
  }

  /** In order of zones and classes. */
  async list(organizationId: string): Promise<readonly Quota[]> {
    return quotasIn((await this.#policies.standing(organizationId)).limits);
  }

  /** In place of the one that there is. Fails: InvalidArgument, ResourceExhausted, Aborted. */
  async set(organizationId: string, { zone, storageClass, bytes }: Quota): Promise<void> {
    if (!ZONE.test(zone)) {
      const message = `zone "${zone}": give 1 to 63 of A-Z a-z 0-9 - and begin with a letter or digit`;
      throw new ControlError("InvalidArgument", message);
    }
    await this.#policies.changeLimits(organizationId, (limits) => {
      const quotas = {
        ...limits.quotas,
        [zone]: { ...zoneQuotas(limits, zone), [storageClass]: bytes },
      };
      if (Object.keys(quotas).length > ZONES_MAX) {
        const message = `an organization has quotas in at most ${ZONES_MAX} zones`;
        throw new ControlError("ResourceExhausted", message);
      }
      return { ...limits, quotas };
    });
  }

  /** Fails: NotFound, Aborted. */
  async delete(organizationId: string, { zone, storageClass }: QuotaName): Promise<void> {
    await this.#policies.changeLimits(organizationId, (limits) => {
      const { [storageClass]: gone, ...others } = zoneQuotas(limits, zone) ?? {};
      if (gone === undefined) {
        throw new ControlError("NotFound", `there is no quota for ${storageClass} in "${zone}"`);
      }
      const { [zone]: _, ...quotas } = limits.quotas;
      const left = Object.keys(others).length === 0 ? quotas : { ...quotas, [zone]: others };
      return { ...limits, quotas: left };
    });
  }

  /** What each principal of the organization may do in a second. */
  async principalRates(organizationId: string): Promise<Rates> {
    return (await this.#policies.standing(organizationId)).limits.principalRates;
  }

  /** In place of those that there are. Fails: Aborted. */
  async setPrincipalRates(organizationId: string, principalRates: Rates): Promise<void> {
    await this.#policies.changeLimits(organizationId, (limits) => ({ ...limits, principalRates }));
  }
}

function quotasIn({ quotas }: OrganizationLimits): readonly Quota[] {
  const zones = Object.entries(quotas).sort(([a], [b]) => (a < b ? -1 : 1));
  return zones.flatMap(([zone, of]) =>
    STORAGE_CLASSES.flatMap((storageClass) => {
      const bytes = of[storageClass];
      return bytes === undefined ? [] : { zone, storageClass, bytes };
    }),
  );
}
