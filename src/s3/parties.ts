import type { Principal } from "#access/principal.ts";
import { after, type Soon } from "#base/soon.ts";
import type { FindStanding, FoundBucket } from "#catalog/known.ts";
import { isLimiting, type Party } from "#s3/throttle.ts";

/** Whose rates a request is held to; mostly nobody's. */
export function partiesOf(
  { organizationId, name }: Principal,
  buckets: readonly (FoundBucket | undefined)[],
  findStanding: FindStanding,
): Soon<readonly Party[]> {
  const ofBuckets = bucketParties(buckets);
  if (organizationId === undefined) return ofBuckets;
  return after(findStanding(organizationId), ({ limits: { principalRates: rates } }) =>
    isLimiting(rates)
      ? [{ name: `principal ${organizationId} ${name}`, rates }, ...ofBuckets]
      : ofBuckets,
  );
}

function bucketParties(buckets: readonly (FoundBucket | undefined)[]): readonly Party[] {
  const parties: Party[] = [];
  for (const found of buckets) {
    const rates = found?.settings.control.rates;
    if (found === undefined || rates === undefined || !isLimiting(rates)) continue;
    parties.push({ name: `bucket ${found.bucket.id}`, rates });
  }
  return parties;
}
