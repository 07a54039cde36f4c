/** A soak sees wrong bytes where there are some, and none where there are none. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Engine } from "#object/engine.ts";
import { Client } from "#prove/client.ts";
import { serverWith } from "#test/prove/broken-server.ts";
import { growthOf } from "./growth.ts";
import { Lane, newTally, type Tally } from "./lane.ts";
import { Pace } from "./pace.ts";
import { plotOf } from "./plot.ts";
import { csvOf, type Sample } from "./sample.ts";

test("nothing is wrong with a server that keeps what it is given", async (t) => {
  const tally = await soaked(t, () => ({}));
  assert.deepEqual(tally.wrong, []);
  assert.ok(tally.verifiedBytes > 0);
});

test("a server that forgets deletes is found out", async (t) => {
  const tally = await soaked(t, () => ({
    delete: async () => ({ deleteMarker: false, versionId: undefined }),
  }));
  assert.ok(tally.wrongCount > 0);
});

test("what holds more and more is told from what goes up and down", () => {
  const at = (seconds: number, memoryBytes: number): Sample => ({
    ...{ seconds, memoryBytes, requests: 0, descriptors: 80, metadataBytes: 0 },
    ...{ blobBytes: 0, blobs: 0, liveBytes: 0, garbageBytes: 0 },
    ...{ proportionalBytes: memoryBytes, blobDirectories: 512 },
  });
  const MIB = 2 ** 20;
  const grown = Array.from({ length: 40 }, (_, second) => at(second, second * 50 * MIB));
  const steady = Array.from({ length: 40 }, (_, second) => at(second, (200 + (second % 7)) * MIB));

  const unbounded = (samples: readonly Sample[]) =>
    growthOf(samples).flatMap(({ name, isBounded }) => (isBounded ? [] : [name]));

  assert.deepEqual(unbounded(grown), ["memoryBytes"]);
  assert.deepEqual(unbounded(steady), []);
  assert.equal(csvOf(steady).trim().split("\n").length, 41);
  assert.equal(plotOf(steady).match(/<polyline/g)?.length, 8);
});

const REQUESTS = 400;

async function soaked(t: TestContext, change: (engine: Engine) => Partial<Engine>): Promise<Tally> {
  const client = new Client(await serverWith(t, change), "soak");
  t.after(() => client.close());
  await client.ask({ method: "PUT" });
  const tally = newTally();
  const stop = new AbortController();
  const running = new Lane(client, "test", tally).run(new Pace(undefined), stop.signal);
  while (tally.requests < REQUESTS && tally.wrongCount === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop.abort();
  await running;
  return tally;
}
