import { Catalog } from "#catalog/catalog.ts";
import { type Recounter, recountOne } from "#job/recount.ts";
import { packCounter } from "#meta/counter.ts";
import type { Bucket } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";
import { usageKey, zoneUsageKey } from "#versioned/keys.ts";
import type { Drift } from "#versioned/recount.ts";
import type { Stores } from "#versioned/store.ts";

/** Counts again, and tells what was found. A failure is the test's. */
export function recounterOf({
  meta,
  clock,
}: Pick<Stores, "meta" | "clock">): Recounter & { readonly drifts: Drift[] } {
  const drifts: Drift[] = [];
  return {
    ...{ meta, clock, drifts },
    catalog: new Catalog(meta, clock),
    found: (drift) => drifts.push(drift),
    failed: (_, cause) => {
      throw cause;
    },
  };
}

/** What a recount of a bucket, and of its organization's zones, finds wrong. */
export async function driftsOf(
  stores: Pick<Stores, "meta" | "clock">,
  name: BucketName,
): Promise<readonly Drift[]> {
  const recounter = recounterOf(stores);
  await recountOne(recounter, name);
  return recounter.drifts;
}

/** Makes a bucket's counters say something else; undefined: there is none. */
export async function spoilCounters(
  { meta }: Pick<Stores, "meta">,
  { id, organizationId, region }: Bucket,
  amounts: {
    readonly bucket?: readonly number[] | undefined;
    readonly zone?: readonly number[] | undefined;
  },
): Promise<void> {
  const value = (of: readonly number[] | undefined) => of && packCounter(of);
  await meta.commit({
    guards: [],
    writes: [
      { key: usageKey(id), value: value(amounts.bucket) },
      { key: zoneUsageKey(organizationId, region), value: value(amounts.zone) },
    ],
  });
}
