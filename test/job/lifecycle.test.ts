/** What one sweep of lifecycle rules removes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sweepAll } from "#job/lifecycle.ts";
import type { Engine } from "#object/engine.ts";
import {
  abort,
  countOf,
  DAYS,
  MARKERS,
  noncurrent,
  rule,
  startSweeping,
} from "#test/job/ruled-bucket.ts";

test("an object expires at the midnight after its days, and not before", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS, { filter: "<Prefix>logs/</Prefix>" }));
  await s3.put("logs/a");
  await s3.put("kept");

  moveDays(1.4);
  await sweepAll(job);
  const before = await s3.keys();
  moveDays(0.2);
  await sweepAll(job);

  assert.deepEqual(before, ["kept", "logs/a"]);
  assert.deepEqual(await s3.keys(), ["kept"]);
  assert.equal(await countOf(job.metrics.actions, "expired"), 1);
});

test("of two rules the one that deletes sooner wins, whatever their order", async () => {
  const late = rule("<Expiration><Days>30</Days></Expiration>", { id: "late" });
  const soon = rule(DAYS, { id: "soon", filter: "<Prefix>a</Prefix>" });
  for (const rules of [late + soon, soon + late]) {
    const { job, moveDays, bucket } = startSweeping();
    const s3 = await bucket("bucket", rules);
    await s3.put("a");
    await s3.put("b");

    moveDays(3);
    await sweepAll(job);

    assert.deepEqual(await s3.keys(), ["b"]);
  }
});

test("a rule with tags and sizes takes only what has them all", async () => {
  const filter =
    "<And><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>20</ObjectSizeLessThan></And>";
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS, { filter }));
  await s3.put("both", { size: 15, tags: [["k", "v"]] });
  await s3.put("small", { size: 10, tags: [["k", "v"]] });
  await s3.put("large", { size: 20, tags: [["k", "v"]] });
  await s3.put("untagged", { size: 15 });

  moveDays(3);
  await sweepAll(job);

  assert.deepEqual(await s3.keys(), ["large", "small", "untagged"]);
});

test("a disabled rule removes nothing", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const all = rule(DAYS + noncurrent(1) + abort(1)).replace("Enabled", "Disabled");
  const s3 = await bucket("bucket", all, "Enabled");
  await s3.put("a");
  await s3.put("a");
  await s3.upload("b");

  moveDays(30);
  await sweepAll(job);

  assert.equal((await s3.versions()).length, 2);
  assert.deepEqual(await s3.uploads(), ["b"]);
});

test("in a versioned bucket expiration lays a marker, and old versions go after their own days", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS + noncurrent(2, 1)), "Enabled");
  await s3.put("a");
  await s3.put("a");

  moveDays(1.2);
  await sweepAll(job);
  const before = await s3.versions();
  moveDays(2);
  await sweepAll(job);
  // What a sweep expires counts as a newer version from the next one on.
  await sweepAll(job);
  const after = await s3.versions();

  assert.equal(before.length, 2, "nothing is due after a day");
  assert.deepEqual(
    after.map(({ deleteMarker }) => deleteMarker),
    [true, false],
    "the newest noncurrent version is kept, the older one is gone",
  );
  assert.equal(await countOf(job.metrics.actions, "expired"), 1);
  assert.equal(await countOf(job.metrics.actions, "noncurrent"), 1);
});

test("noncurrent versions with the tags of a rule go, and delete markers, which have none, stay", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const filter = "<Tag><Key>k</Key><Value>v</Value></Tag>";
  const s3 = await bucket("bucket", rule(noncurrent(1), { filter }), "Enabled");
  await s3.put("a", { tags: [["k", "v"]] });
  await s3.put("a", { tags: [["k", "other"]] });
  await s3.remove("a");
  await s3.put("a");

  moveDays(3);
  await sweepAll(job);

  const left = await s3.versions();
  assert.deepEqual(
    left.map(({ deleteMarker }) => deleteMarker),
    [false, true, false],
  );
});

test("a delete marker that hides nothing goes when a rule asks for it", async () => {
  const { job, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(MARKERS), "Enabled");
  await s3.remove("lonely");
  await s3.put("hidden");
  await s3.remove("hidden");

  await sweepAll(job);

  const keys = (await s3.versions()).map(({ key }) => key);
  assert.deepEqual(keys, ["hidden", "hidden"]);
  assert.equal(await countOf(job.metrics.actions, "markers"), 1);
});

test("a delete marker that hides nothing goes at the age at which objects expire", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS), "Enabled");
  await s3.remove("lonely");

  moveDays(1);
  await sweepAll(job);
  const before = await s3.versions();
  moveDays(1);
  await sweepAll(job);

  assert.equal(before.length, 1);
  assert.deepEqual(await s3.versions(), []);
});

test("delete markers that hide nothing go wherever a page of the bucket ends", async () => {
  const { job, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(MARKERS), "Enabled");
  for (let number = 0; number < 1_100; number += 1) await s3.remove(`${number}`);

  await sweepAll(job);

  assert.deepEqual(await s3.versions(), []);
  assert.equal(await countOf(job.metrics.examined), 1_100);
});

test("as many noncurrent versions are kept as a rule says, wherever a page ends", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(noncurrent(1, 3)), "Enabled");
  for (let number = 0; number < 700; number += 1) await s3.put(number < 350 ? "a" : "b");

  moveDays(3);
  await sweepAll(job);

  const keys = (await s3.versions()).map(({ key }) => key);
  assert.deepEqual(keys.join(""), "aaaabbbb");
});

test("an unfinished upload is aborted after its days", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(abort(1), { filter: "<Prefix>a</Prefix>" }));
  await s3.upload("a1");
  await s3.upload("b1");

  moveDays(1);
  await sweepAll(job);
  const before = await s3.uploads();
  moveDays(2);
  await sweepAll(job);

  assert.deepEqual(before, ["a1", "b1"]);
  assert.deepEqual(await s3.uploads(), ["b1"]);
  assert.equal(await countOf(job.metrics.actions, "uploads"), 1);
});

test("an object that is written again before its removal stays", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(DAYS));
  await s3.put("a");
  moveDays(3);

  await sweepAll({ ...job, engine: beforeDelete(job.engine, async () => await s3.put("a")) });

  assert.deepEqual(await s3.keys(), ["a"]);
  assert.equal(await countOf(job.metrics.left), 1);
});

test("a noncurrent version that becomes the current one before its removal stays", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(noncurrent(1)), "Enabled");
  const { versionId } = await s3.put("a");
  const marker = await s3.remove("a");
  moveDays(3);

  const engine = beforeDelete(job.engine, async () => await s3.remove("a", marker.versionId));
  await sweepAll({ ...job, engine });

  assert.deepEqual(await s3.keys(), ["a"]);
  assert.equal((await s3.versions())[0]?.versionId, versionId);
});

test("a noncurrent version that comes to be among those to keep before its removal stays", async () => {
  const { job, moveDays, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(noncurrent(1, 1)), "Enabled");
  await s3.put("a");
  const between = await s3.put("a");
  await s3.put("a");
  moveDays(3);

  const engine = beforeDelete(job.engine, async () => await s3.remove("a", between.versionId));
  await sweepAll({ ...job, engine });

  assert.equal((await s3.versions()).length, 2);
  assert.equal(await countOf(job.metrics.left), 1);
});

test("a delete marker that comes to hide something before its removal stays", async () => {
  const { job, bucket } = startSweeping();
  const s3 = await bucket("bucket", rule(MARKERS), "Enabled");
  await s3.remove("a");

  await sweepAll({ ...job, engine: beforeDelete(job.engine, async () => await s3.put("a")) });

  assert.equal((await s3.versions()).length, 2);
});

/** An engine before whose first delete something else is done, as if by another process. */
function beforeDelete(engine: Engine, act: () => Promise<unknown>): Engine {
  let acted = false;
  return new Proxy(engine, {
    get(target, name: keyof Engine) {
      if (name !== "delete") return target[name].bind(target);
      return async (...args: Parameters<Engine["delete"]>) => {
        if (!acted) {
          acted = true;
          await act();
        }
        return await target.delete(...args);
      };
    },
  });
}
