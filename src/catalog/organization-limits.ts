import type { StorageClass } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Room } from "#object/usage.ts";

/** How fast somebody, or a bucket, may be used; undefined: as fast as it goes. */
export interface Rates {
  readonly requestsPerSecond?: number | undefined;
  /** Of bodies, both ways together. */
  readonly bytesPerSecond?: number | undefined;
}

/** What bounds an organization besides its policies, with which it is stored. */
export interface OrganizationLimits {
  /** Bytes, by zone and storage class. Where there is none there is no end. */
  readonly quotas: Readonly<Record<string, ZoneQuotas>>;
  /** Of each of its principals. */
  readonly principalRates: Rates;
}

export type ZoneQuotas = Readonly<Partial<Record<StorageClass, number>>>;

export const NO_LIMITS: OrganizationLimits = { quotas: {}, principalRates: {} };

/** A bucket may be named after any zone, "constructor" too. */
export function zoneQuotas({ quotas }: OrganizationLimits, zone: string): ZoneQuotas | undefined {
  return Object.hasOwn(quotas, zone) ? quotas[zone] : undefined;
}

/** How far a write to the bucket may go; undefined: without end. */
export function roomIn(
  { region }: Bucket,
  limits: OrganizationLimits,
  capacityCapBytes: number | undefined,
): Room | undefined {
  const zoneBytesMax = zoneQuotas(limits, region);
  if (zoneBytesMax === undefined && capacityCapBytes === undefined) return undefined;
  return { zoneBytesMax: zoneBytesMax ?? {}, bucketBytesMax: capacityCapBytes };
}
