import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import type { Credential } from "#catalog/access-keys.ts";
import { AccessPolicies } from "#catalog/access-policies.ts";
import { Catalog } from "#catalog/catalog.ts";
import { Knowledge, type Known } from "#catalog/known.ts";
import { Organizations } from "#catalog/organizations.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { SELDOM_KEY } from "#meta/seldom.ts";
import type { Entry } from "#meta/store.ts";
import { newBucketName } from "#object/name.ts";

/** A store that tells what is asked of it. */
class WatchedStore extends MemoryMetaStore {
  asked: string[] = [];
  fails = false;

  override async get(key: Uint8Array): Promise<Entry | undefined> {
    if (this.fails) throw new Error("the disk is gone");
    this.asked.push(
      Buffer.from(key).equals(SELDOM_KEY) ? "seldom" : String.fromCharCode(key[0] ?? 0),
    );
    return await super.get(key);
  }
}

const OWNER = { id: "ab1cd2", region: "us-east-1" };
const NAME = newBucketName("bucket");

function start() {
  const meta = new WatchedStore();
  const catalog = new Catalog(meta, systemClock);
  const organizations = new Organizations(meta, systemClock);
  const policies = new AccessPolicies(meta);
  const credential = { secret: "s" } as Credential;
  const keys = {
    find: async (id: string) => (await meta.get(Buffer.from(`K${id}`))) && credential,
  };
  const parts = { meta, catalog, organizations, policies, keys };
  const knowledge = new Knowledge(parts);
  const ask = async (known: Known) => {
    const found = await known.findBucket(NAME);
    await known.findStanding(OWNER.id);
    return [found?.bucket.versioning, (await known.findKey("AK"))?.secret];
  };
  /** What a request that begins now learns, and what it asks of the store for that. */
  const request = async () => {
    meta.asked = [];
    const learned = await ask(await knowledge.now());
    return { learned, asked: meta.asked.join(" ") };
  };
  return { meta, catalog, organizations, policies, parts, knowledge, ask, request };
}

test("what seldom changes is read once, and again when any of it has changed", async () => {
  const { meta, catalog, policies, request } = start();
  await catalog.create(NAME, OWNER);

  assert.deepEqual(await request(), { learned: [undefined, undefined], asked: "seldom b D O P K" });
  assert.deepEqual(await request(), { learned: [undefined, undefined], asked: "seldom" });
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("o1"), value: Buffer.of(1) }] });
  assert.equal((await request()).asked, "seldom");

  await catalog.setVersioning(await catalog.bucket(NAME), "Enabled");
  assert.deepEqual(await request(), { learned: ["Enabled", undefined], asked: "seldom b D O P K" });
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("KAK"), value: Buffer.of(1) }] });
  assert.deepEqual((await request()).learned, ["Enabled", "s"]);
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("KAK"), value: undefined }] });
  assert.deepEqual((await request()).learned, ["Enabled", undefined]);
  await policies.changeLimits(OWNER.id, (limits) => limits);
  assert.equal((await request()).asked, "seldom b D O P K");
});

test("a request sees what it was judged by to its end, whatever changes meanwhile", async () => {
  const { catalog, knowledge, ask } = start();
  await catalog.create(NAME, OWNER);
  const known = await knowledge.now();
  await ask(known);
  await catalog.setVersioning(await catalog.bucket(NAME), "Enabled");

  assert.deepEqual(await ask(known), [undefined, undefined]);
  assert.deepEqual(await ask(await knowledge.now()), ["Enabled", undefined]);
});

test("a switch of an organization's audit counts for the next request of every process, and costs no read otherwise", async () => {
  const { meta, catalog, organizations, parts } = start();
  await organizations.create({ id: OWNER.id, name: "owner" });
  await catalog.create(NAME, OWNER);
  const processes = [new Knowledge(parts), new Knowledge(parts)];
  const audited = async () => {
    meta.asked = [];
    const found = await Promise.all(
      processes.map(async (process) => (await process.now()).findBucket(NAME)),
    );
    return found.map((each) => each?.isAudited);
  };

  assert.deepEqual(await audited(), [false, false]);
  await organizations.setSettings(OWNER.id, { bucketAuditLoggingEnabled: true });
  assert.deepEqual(await audited(), [true, true]);
  assert.deepEqual(await audited(), [true, true]);
  assert.deepEqual(meta.asked, ["seldom", "seldom"]);
  await organizations.setSettings(OWNER.id, { bucketAuditLoggingEnabled: false });
  assert.deepEqual(await audited(), [false, false]);
  await catalog.changeControlSettings(await catalog.bucket(NAME), (before) => ({
    ...before,
    auditLoggingEnabled: true,
  }));
  assert.deepEqual(await audited(), [true, true]);
});

test("what could not be read is asked for again", async () => {
  const { meta, catalog, knowledge, ask } = start();
  await catalog.create(NAME, OWNER);
  const known = await knowledge.now();
  meta.fails = true;
  await assert.rejects(ask(known), /the disk is gone/);
  meta.fails = false;

  assert.deepEqual(await ask(known), [undefined, undefined]);
});
