import { unpackCounter } from "#meta/counter.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Usage, ZoneUsage } from "#object/usage.ts";
import { openZoneUsageKey, usageKey, zoneUsageKey, zoneUsageSpan } from "#versioned/keys.ts";
import { readUsage, usageOf } from "#versioned/usage.ts";

/** What there is, as the counters say. */
export class UsageCounters {
  readonly #meta: MetaStore;

  constructor(meta: MetaStore) {
    this.#meta = meta;
  }

  async bucket({ id }: Bucket): Promise<Usage> {
    return await readUsage(this.#meta, usageKey(id));
  }

  async zone(organizationId: string, zone: string): Promise<Usage> {
    return await readUsage(this.#meta, zoneUsageKey(organizationId, zone));
  }

  /** Of an organization, or of all, in order of their names. */
  async zones(organizationId: string | undefined, limit: number): Promise<readonly ZoneUsage[]> {
    const entries = await this.#meta.scan({ ...zoneUsageSpan(organizationId), limit });
    return entries.map(({ key, value }) => ({
      ...openZoneUsageKey(key),
      usage: usageOf(unpackCounter(value)),
    }));
  }
}
