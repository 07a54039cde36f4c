/** What goes on beside requests while a record of one bucket, organization or key cannot be read. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { makeLog } from "#base/log.ts";
import { Metrics } from "#base/metrics.ts";
import { Catalog } from "#catalog/catalog.ts";
import { openIdentities } from "#catalog/identities.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { Organizations } from "#catalog/organizations.ts";
import { UsedAssertions } from "#catalog/used-assertions.ts";
import { userPrincipal } from "#catalog/users.ts";
import { sweepAll } from "#job/lifecycle.ts";
import { sweep } from "#job/lifecycle-sweep.ts";
import { measureUsage } from "#job/measure-usage.ts";
import { type RecountPlace, recountWhenDue } from "#job/recount.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { MetaStore } from "#meta/store.ts";
import { bucketName } from "#object/name.ts";
import { countOf, DAYS, rule, startSweeping } from "#test/job/ruled-bucket.ts";
import { spoilCounters } from "#test/support/counters.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";

const DAMAGE = { "cut short": cut, "of another shape": unshaped };

for (const [how, damage] of Object.entries(DAMAGE)) {
  test(`a bucket's record that is ${how} keeps no sweep from other buckets, is told once, and loses nothing`, async (t) => {
    const meta = await openLmdb(t);
    const { job, moveDays, bucket, failures } = startSweeping(meta);
    const names = ["aaa", "mmm", "zzz"];
    const all = await Promise.all(names.map((name) => bucket(name, rule(DAYS))));
    for (const s3 of all) await s3.put("old");
    moveDays(3);
    await damage(meta, "bmmm");

    await sweepAll(job);

    const left = await Promise.all(all.map((s3) => s3.keys()));
    assert.deepEqual(left, [[], ["old"], []]);
    const told = failures.map((each) => each.bucket);
    assert.deepEqual(told, ["mmm"]);
    assert.equal(await countOf(job.metrics.failures), 1);
  });
}

test("more damaged buckets than a page holds are each told once in a sweep that is stopped at any page", async (t) => {
  const meta = await openLmdb(t);
  const { job, moveDays, bucket, failures } = startSweeping(meta);
  const damaged = Array.from({ length: 130 }, (_, at) => `mmm-${String(at).padStart(3, "0")}`);
  for (const name of damaged) await bucket(name, rule(DAYS));
  const others = [await bucket("aaa", rule(DAYS)), await bucket("zzz", rule(DAYS))];
  for (const s3 of others) for (let at = 0; at < 600; at += 1) await s3.put(`${at}`);
  moveDays(3);
  for (const name of damaged) await cut(meta, `b${name}`);

  let place = await sweep(job, { startedMs: 0, afterBucket: "" }, async () => false);
  while (place.endedMs === undefined) place = await sweep(job, place, async () => false);

  assert.deepEqual(
    failures.map((each) => each.bucket),
    damaged,
  );
  for (const s3 of others) assert.deepEqual(await s3.keys(), []);
});

test("a recount goes on past what cannot be read: a bucket's record, or an organization's", async (t) => {
  const meta = await openLmdb(t);
  const clock = new MovableClock(0);
  const catalog = new Catalog(meta, clock);
  const organizations = new Organizations(meta, clock);
  for (const id of ["first1", "second", "third1"]) {
    await organizations.create({ id, name: id });
    await catalog.create(bucketName(`${id}-bucket`), { id, region: "here" });
    const bucket = await catalog.bucket(bucketName(`${id}-bucket`));
    await spoilCounters({ meta }, bucket, { bucket: [1, 2], zone: [9] });
  }
  await cut(meta, "bsecond-bucket");
  await cut(meta, "Osecond");
  const [found, failed]: [string[], string[]] = [[], []];

  await recountWhenDue({
    ...{ meta, clock, catalog, organizations, holder: "this process" },
    place: new JobPlace<RecountPlace>(meta, clock, "recount"),
    found: ({ counter }) => found.push(counter),
    failed: (what) => failed.push(what),
    log: makeLog({ pretty: false, access: false, to: 2 }),
    signal: new AbortController().signal,
  });

  assert.deepEqual(failed, ["bucket second-bucket", "organization second"]);
  assert.deepEqual(found.sort(), ["bucket", "bucket", "zone", "zone"]);
  const counters = new UsageCounters(meta);
  for (const id of ["first1", "third1"]) {
    assert.equal((await counters.zone(id, "here")).classes.STANDARD.bytes, 0);
  }
});

test("keys that ended are forgotten past one whose record cannot be read, which is told", async (t) => {
  const meta = await openLmdb(t);
  const clock = new MovableClock(0);
  const { users, keys } = openIdentities({ meta, clock, keyring: TEST_KEYRING });
  await users.create("ab1cd2", { uid: "ada", name: "Ada", groups: [] });
  const principal = userPrincipal({ organizationId: "ab1cd2", uid: "ada" }, []);
  const made: string[] = [];
  for (let at = 0; at < 5; at += 1) {
    const key = { principal, durationSeconds: 60, attributes: {}, withSession: false };
    made.push((await keys.create(key)).accessKeyId);
  }
  made.sort();
  await cut(meta, `K${made[2]}`);
  clock.move(2 * 86_400_000);
  const failed: string[] = [];
  let after: string | undefined = "";
  while (after !== undefined) {
    after = await keys.sweep({ after, limit: 2, failed: ({ message }) => failed.push(message) });
  }

  assert.equal(failed.length, 1);
  assert.match(failed[0] ?? "", new RegExp(made[2] ?? ""));
  const left = await meta.scan({ from: Buffer.from("K"), to: Buffer.from("L"), limit: 10 });
  assert.deepEqual(
    left.map(({ key }) => Buffer.from(key).toString()),
    [`K${made[2]}`],
  );
});

test("an index of a principal's keys that is damaged keeps nobody from listing and revoking them", async (t) => {
  const meta = await openLmdb(t);
  const { users, keys } = openIdentities({ meta, clock: systemClock, keyring: TEST_KEYRING });
  await users.create("ab1cd2", { uid: "ada", name: "Ada", groups: [] });
  const principal = userPrincipal({ organizationId: "ab1cd2", uid: "ada" }, []);
  const make = async () =>
    await keys.create({ principal, durationSeconds: 60, attributes: {}, withSession: false });
  const first = await make();
  const [entry] = await meta.scan({ from: Buffer.from("k"), to: Buffer.from("l"), limit: 2 });
  await cut(meta, Buffer.from(entry?.key ?? []).toString());

  await make();

  const { keys: listed } = await keys.list("ab1cd2", { after: "", limit: 10 });
  assert.equal(listed.length, 2);
  assert.equal(await keys.revokeOf("ab1cd2", principal.name), 2);
  assert.equal(await keys.find(first.accessKeyId), undefined);
});

test("a key whose record is damaged signs nothing, and keeps nobody from revoking the principal's others", async (t) => {
  const meta = await openLmdb(t);
  const { users, keys } = openIdentities({ meta, clock: systemClock, keyring: TEST_KEYRING });
  await users.create("ab1cd2", { uid: "ada", name: "Ada", groups: [] });
  const principal = userPrincipal({ organizationId: "ab1cd2", uid: "ada" }, []);
  const make = async () =>
    await keys.create({ principal, durationSeconds: 60, attributes: {}, withSession: false });
  const [damaged, whole] = [await make(), await make()];
  await cut(meta, `K${damaged.accessKeyId}`);

  const { keys: listed } = await keys.list("ab1cd2", { after: "", limit: 10 });
  assert.deepEqual(
    listed.map(({ accessKeyId }) => accessKeyId),
    [whole.accessKeyId],
  );
  assert.equal(await keys.revokeOf("ab1cd2", principal.name), 1);
  assert.equal(await keys.find(whole.accessKeyId), undefined);
  await assert.rejects(keys.find(damaged.accessKeyId), { name: "StorageError" });
});

test("metrics tell the usage of all organizations though the policies of one cannot be read", async (t) => {
  const meta = await openLmdb(t);
  const clock = systemClock;
  const { policies } = openIdentities({ meta, clock, keyring: TEST_KEYRING });
  const catalog = new Catalog(meta, clock);
  for (const id of ["first1", "second"]) {
    await policies.changeLimits(id, (limits) => ({
      ...limits,
      quotas: { here: { STANDARD: 1_000 } },
    }));
    await catalog.create(bucketName(`${id}-bucket`), { id, region: "here" });
    const bucket = await catalog.bucket(bucketName(`${id}-bucket`));
    await spoilCounters({ meta }, bucket, { zone: [1, 7] });
  }
  await cut(meta, "Pfirst1");
  const { usage } = new Metrics();

  await measureUsage(usage, { counters: new UsageCounters(meta), policies });

  const shown = async (gauge: typeof usage.bytes) =>
    (await gauge.get()).values.map(({ labels }) => labels["organization"]);
  assert.deepEqual(new Set(await shown(usage.bytes)), new Set(["first1", "second"]));
  assert.deepEqual(new Set(await shown(usage.quotaBytes)), new Set(["second"]));
});

test("assertions are used once each, and forgotten, though a record of one that was used cannot be read", async (t) => {
  const meta = await openLmdb(t);
  const clock = new MovableClock(0);
  const used = new UsedAssertions(meta, clock);
  for (let at = 0; at < 6; at += 1) assert.equal(await used.use([`${at}`], 1_000 + at), true);
  const records = async () =>
    (await meta.scan({ from: Buffer.from("a"), to: Buffer.from("b"), limit: 100 })).map(({ key }) =>
      Buffer.from(key).toString(),
    );
  await cut(meta, (await records())[0] ?? "");
  clock.move(10_000);

  assert.equal(await used.use(["new"], 20_000), true);
  assert.equal(await used.use(["new"], 20_000), false);
  assert.equal(await used.use(["newer"], 20_000), true);

  assert.equal((await records()).length, 2);
});

async function openLmdb(t: TestContext): Promise<LmdbMetaStore> {
  const meta = new LmdbMetaStore(await temporaryDirectory());
  t.after(() => meta[Symbol.asyncDispose]());
  return meta;
}

/** As a sector of zeros would leave it. */
async function cut(meta: MetaStore, text: string): Promise<void> {
  const key = Buffer.from(text);
  const value = Buffer.from((await meta.get(key))?.value ?? []);
  assert.ok(value.length > 0, `${text} is there`);
  await meta.commit({
    guards: [],
    writes: [{ key, value: value.fill(0, Math.min(20, value.length >> 1)) }],
  });
}

/** It can be parsed, and says something else. */
async function unshaped(meta: MetaStore, text: string): Promise<void> {
  const value = Buffer.from(JSON.stringify({ format: 1, id: 7, region: "here" }));
  await meta.commit({ guards: [], writes: [{ key: Buffer.from(text), value }] });
}
