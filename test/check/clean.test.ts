/** An undamaged store, after any history, has nothing wrong with it; mended counters neither. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Catalog } from "#catalog/catalog.ts";
import { newBucketName, objectKey } from "#object/name.ts";
import { checked } from "#test/check/checked.ts";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { History } from "#test/model/history.ts";
import { history } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { runs } from "#test/support/runs.ts";
import { VersionedEngine } from "#versioned/engine.ts";

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

test("an encrypted object whose body ended sooner than it could has nothing wrong with it", async () => {
  const stores = memoryStores();
  const catalog = new Catalog(stores.meta, stores.clock);
  await catalog.create(newBucketName("bucket"), { id: "owner", region: "r" });
  const bucket = await catalog.bucket(newBucketName("bucket"));
  const engine = new VersionedEngine(stores);
  const about = {
    attributes: NOTHING_SAID,
    conditions: {},
    encryption: { kind: "SSE-S3" },
  } as const;
  for (const [size, most] of [
    [0, 40],
    [40, 50],
    [65_530, 65_540],
    [65_536, 65_537],
  ] as const) {
    const body = { ...bodyOf("x".repeat(size)), sizeBytesMin: size, sizeBytes: most };
    await engine.put({ bucket, key: objectKey(`${size}`) }, { ...about, body });
  }

  const { problems, read } = await checked(stores);

  assert.deepEqual(problems, []);
  assert.ok((read?.blobs ?? 0) >= 3);
});
