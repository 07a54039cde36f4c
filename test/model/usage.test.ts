/** Counters of usage against what is there, counted again, after any history. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { recountOne } from "#job/recount.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Usage } from "#object/usage.ts";
import { History } from "#test/model/history.ts";
import { history } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { driftsOf, recounterOf, spoilCounters } from "#test/support/counters.ts";
import { runs } from "#test/support/runs.ts";
import type { Stores } from "#versioned/store.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

const amount = fc.integer({ min: -1_000, max: 1_000 });
/** None, as many as an older release wrote, and as many as there are. */
const amounts = fc.oneof(
  fc.constant(undefined),
  fc.array(amount, { minLength: 5, maxLength: 5 }),
  fc.array(amount, { minLength: 8, maxLength: 8 }),
);

test("after any history a recount finds nothing wrong", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const stores = memoryStores();
      for (const { name } of await bucketsAfter(steps, stores)) {
        assert.deepEqual(await driftsOf(stores, name), []);
      }
    }),
    runs({ short: 250, long: 30_000 }),
  );
});

test("whatever the counters say, a recount makes them say what there is", async () => {
  await fc.assert(
    fc.asyncProperty(history, amounts, amounts, async (steps, wrong, wrongToo) => {
      const stores = memoryStores();
      const buckets = await bucketsAfter(steps, stores);
      const right = await countersOf(stores, buckets);
      for (const bucket of buckets) {
        await spoilCounters(stores, bucket, { bucket: wrong, zone: wrongToo });
      }

      for (const { name } of buckets) await recountOne(recounterOf(stores), name);

      assert.deepEqual(await countersOf(stores, buckets), right);
    }),
    runs({ short: 150, long: 15_000 }),
  );
});

async function bucketsAfter(
  steps: Parameters<typeof History.run>[0],
  stores: Parameters<typeof History.run>[1]["stores"],
): Promise<readonly Bucket[]> {
  const { catalog } = await History.run(steps, { stores });
  return (await catalog.list({ prefix: "", after: "", limit: 10 })).buckets;
}

async function countersOf(
  { meta }: Stores,
  buckets: readonly Bucket[],
): Promise<readonly (readonly [Usage, Usage])[]> {
  const counters = new UsageCounters(meta);
  const both = async (bucket: Bucket) =>
    [
      await counters.bucket(bucket),
      await counters.zone(bucket.organizationId, bucket.region),
    ] as const;
  return await Promise.all(buckets.map(both));
}
