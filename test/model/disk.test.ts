/** The real engine over LMDB and files, and a model beside each of the histories that share them. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { FileBlobStore } from "#blob/files.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { History } from "#test/model/history.ts";
import { histories, type Step } from "#test/model/step.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { remainsOf } from "#test/support/remains.ts";
import { runs } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const TOGETHER = 24;
const STEPS = 20;

const root = await temporaryDirectory();
const meta = new LmdbMetaStore(`${root}/metadata`);
const blobs = await FileBlobStore.open({ root: `${root}/blobs`, owner: "test" });
after(async () => {
  await meta[Symbol.asyncDispose]();
  await blobs[Symbol.asyncDispose]();
});

test("any histories side by side, each in its buckets, show what their models show", async () => {
  let begun = 0;
  await fc.assert(
    fc.asyncProperty(histories(TOGETHER, STEPS), async (all) => {
      const lanes = all.map((steps) => {
        begun += 1;
        return run(steps, `-${begun}`);
      });
      const settled = await Promise.allSettled(lanes);
      const failed = settled.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;

      for (const lane of await Promise.all(lanes)) await lane.empty();
      const stores = storesOver(meta, blobs);
      // Later than any of the histories.
      stores.clock.move(1_000_000);
      await new History({ stores }).call({ kind: "collect" });
      const { blobs: left, references, strays } = await remainsOf(stores);
      assert.deepEqual([left, references, strays], [[], [], []]);
    }),
    runs({ short: 8, long: 2_000 }),
  );
});

/** Each has a clock of its own, so that it knows the time of each of its steps. */
async function run(steps: readonly Step[], suffix: string): Promise<History> {
  return await History.run(steps, { stores: storesOver(meta, blobs, newClock()), suffix });
}
