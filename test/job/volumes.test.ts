/** What the volumes' job does when it cannot find out which volumes there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "#base/log.ts";
import { Catalog } from "#catalog/catalog.ts";
import { runVolumes } from "#job/volumes.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { newClock } from "#test/model/stores.ts";

test("a bucket's record that cannot be read does not end the job: it is told, and volumes are looked for again", async () => {
  const meta = new MemoryMetaStore();
  const key = Buffer.from("bbucket");
  await meta.commit({ guards: [], writes: [{ key, value: Buffer.from("nonsense") }] });
  const clock = newClock();
  const stop = new AbortController();
  const told: string[] = [];
  const log: Pick<Log, "error"> = {
    error: (message, cause) => {
      assert.ok(cause instanceof SyntaxError);
      told.push(message);
      if (told.length === 5) stop.abort();
    },
  };

  await runVolumes({
    catalog: new Catalog(meta, clock),
    volumeOf: async () => assert.fail("there is none"),
    clock,
    count: () => {},
    log: log as Log,
    signal: stop.signal,
  });

  assert.deepEqual(
    new Set(told),
    new Set(["volumes could not be looked for; it will be tried again"]),
  );
});
