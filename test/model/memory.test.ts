/** The real engine over stores in memory, and the model beside it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Attributes, StorageClass } from "#object/attributes.ts";
import type { ClassUsage, Usage } from "#object/usage.ts";
import { History } from "#test/model/history.ts";
import { history } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { remainsOf, usageIn } from "#test/support/remains.ts";
import { runs } from "#test/support/runs.ts";
import type { Stores } from "#versioned/store.ts";

test("after each step of any history the engine shows what the model shows", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      await History.run(steps, { stores: memoryStores() });
    }),
    runs({ short: 500, long: 200_000 }),
  );
});

test("after any history usage is what there is, and garbage collection leaves no more than that", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const stores = memoryStores();
      const run = await History.run(steps, { stores });
      await requireUsage(stores, run);
      await run.call({ kind: "collect" });

      const remains = await remainsOf(stores);
      assert.deepEqual(remains.blobs, remains.referred);
      assert.deepEqual(remains.references, remains.expectedReferences);
      assert.deepEqual(remains.strays, []);
      // A rename's token is kept for a day, and so is the entry that ends it.
      const tokens = steps.filter((step) => step.kind === "rename" && step.token !== undefined);
      assert.ok(remains.garbage <= tokens.length);
      await run.requireViews();
    }),
    runs({ short: 120, long: 30_000 }),
  );
});

test("after any history buckets that are emptied leave nothing behind", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const stores = memoryStores();
      const run = await History.run(steps, { stores });
      await run.empty();
      await requireUsage(stores, run);
      await run.call({ kind: "collect" });

      const { blobs, references, strays } = await remainsOf(stores);
      assert.deepEqual([blobs, references, strays], [[], [], []]);
      for (const bucket of run.model.buckets.keys()) {
        assert.deepEqual(await run.call({ kind: "deleteBucket", bucket }), {});
      }
    }),
    runs({ short: 80, long: 20_000 }),
  );
});

async function requireUsage(stores: Stores, { model, catalog }: History): Promise<void> {
  const { buckets } = await catalog.list({ prefix: "", after: "", limit: 10 });
  for (const { id, name } of buckets) {
    const { versions = new Map(), uploads = [] } = model.buckets.get(name) ?? {};
    const all = [...versions.values()].flat();
    const live = all.filter(({ isMarker }) => !isMarker);
    const of = (storageClass: StorageClass): ClassUsage => {
      const isOf = ({ attributes }: { readonly attributes: Attributes }) =>
        attributes.storageClass === storageClass;
      const parts = uploads.filter(isOf).flatMap((upload) => [...upload.parts.values()]);
      const versions = live.filter(isOf);
      return {
        versions: versions.length,
        bytes: totalBytes(versions),
        partBytes: totalBytes(parts),
      };
    };
    const expected: Usage = {
      classes: { STANDARD: of("STANDARD"), STANDARD_IA: of("STANDARD_IA") },
      deleteMarkers: all.length - live.length,
      uploads: uploads.length,
    };
    assert.deepEqual(await usageIn(stores, id), expected);
  }
}

function totalBytes(those: readonly { readonly bytes: Uint8Array }[]): number {
  return those.reduce((total, { bytes }) => total + bytes.length, 0);
}
