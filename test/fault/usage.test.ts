/** Counters of usage after a server was killed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { Catalog } from "#catalog/catalog.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { bucketName } from "#object/name.ts";
import { totalBytes } from "#object/usage.ts";
import { makeBucket, put } from "#test/fault/call.ts";
import { Ledger, load } from "#test/fault/load.ts";
import { driftsOf, spoilCounters } from "#test/support/counters.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { LONG } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

const ROUNDS = LONG ? 50 : 2;
/** So many keys have been acknowledged when the server is killed, and more are under way. */
const KEYS_MIN = 8;

test("after kill -9 of every process under load the counters say exactly what is there", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const ledger = new Ledger();
  for (let round = 0; round < ROUNDS; round += 1) {
    const server = await startRealServer(t, { workers: 2, dataDirectory });
    const bucket = await makeBucket(server, "crash");
    const stop = new AbortController();
    const writing = load(server, bucket, { ledger, round, stop: stop.signal });
    const certain = () => ledger.keys.filter((key) => ledger.states(key).length === 1).length;
    while (certain() < KEYS_MIN * Math.min(round + 1, 3)) await systemClock.sleep(20);
    await server.kill();
    stop.abort();
    await writing;

    await using meta = new LmdbMetaStore(`${dataDirectory}/metadata`);
    const name = bucketName("crash");
    const usage = await new UsageCounters(meta).bucket(
      await new Catalog(meta, systemClock).bucket(name),
    );
    assert.ok(totalBytes(usage) > 0);
    assert.deepEqual(await driftsOf({ meta, clock: systemClock }, name), []);
  }
});

test("the first start over the data of an older release, which counted less, counts all of it", async (t) => {
  const dataDirectory = await temporaryDirectory();
  const server = await startRealServer(t, { dataDirectory });
  await put(server, `${await makeBucket(server, "older")}/key`, "x".repeat(1_000));
  await server.stop();
  {
    await using meta = new LmdbMetaStore(`${dataDirectory}/metadata`);
    const bucket = await new Catalog(meta, systemClock).bucket(bucketName("older"));
    await spoilCounters({ meta }, bucket, { bucket: [1, 1_000, 0, 0, 0] });
    const place = { key: Buffer.from("jrecount"), value: undefined };
    await meta.commit({ guards: [], writes: [place] });
  }

  const again = await startRealServer(t, { dataDirectory });
  const metrics = async () => await (await fetch(`${again.adminEndpoint}/metrics`)).text();
  const wanted = /^lode_usage_bytes\{organization="\w+",zone="us-east-1",class="STANDARD"\} 1000$/m;
  while (!wanted.test(await metrics())) await systemClock.sleep(20);

  assert.match(await metrics(), /^lode_usage_repairs_total\{counter="zone"\} 1$/m);
});
