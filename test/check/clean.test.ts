/** An undamaged store, after any history, has nothing wrong with it; mended counters neither. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checked } from "#test/check/checked.ts";
import { History } from "#test/model/history.ts";
import { history } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { runs } from "#test/support/runs.ts";

test("after any history a check finds nothing, before and after garbage is collected", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const stores = memoryStores();
      const run = await History.run(steps, { stores });
      const before = await checked(stores);
      assert.deepEqual(before.problems, []);

      await run.call({ kind: "collect" });

      const after = await checked(stores, { repair: true, discard: true });
      assert.deepEqual(after.problems, []);
      // All that is left is referred to; slices of one blob count each.
      assert.ok((after.read?.blobs ?? 0) >= after.counts.blobs);
      assert.equal(after.counts.versions, before.counts.versions);
      await run.requireViews();
    }),
    runs({ short: 60, long: 20_000 }),
  );
});
