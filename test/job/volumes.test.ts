/** What the volumes' job does when it cannot find out whether a bucket is a volume. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Running } from "#job/running.ts";
import { runVolumes } from "#job/volumes.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { newBucketName } from "#object/name.ts";
import { newClock } from "#test/model/stores.ts";

test("a bucket's record that cannot be read is told at each look, and keeps no volume from being swept", async () => {
  const meta = new MemoryMetaStore();
  const clock = newClock();
  const catalog = new Catalog(meta, clock);
  const volume = { name: "v", path: "/v", umask: 0o022 };
  const settings = { ...volume, sizeBytes: undefined, uid: undefined, gid: undefined };
  for (const name of ["before", "behind"]) {
    await catalog.create(newBucketName(name), { id: "owner", region: "r" }, { volume: settings });
  }
  const key = Buffer.from("bbefore-behind");
  await meta.commit({ guards: [], writes: [{ key, value: Buffer.from("nonsense") }] });
  const stop = new AbortController();
  const told = new Set<string>();
  const log: Pick<Log, "error"> = {
    error: (message, cause) => {
      assert.ok(cause instanceof StorageError);
      assert.equal(cause.kind, message.includes("before-behind") ? "corrupt" : "unavailable");
      told.add(message.split(" ")[2] ?? "");
      if (told.size === 3) stop.abort();
    },
  };

  await runVolumes({
    catalog,
    volumeOf: async () => {
      throw new StorageError("unavailable", "it is not mounted");
    },
    clock,
    count: () => {},
    log: log as Log,
    running: new Running(),
    signal: stop.signal,
  });

  assert.deepEqual([...told].sort(), ["before", "before-behind", "behind"]);
});
