/** Backups of a data directory that is written to meanwhile, and what can be made of them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Clock, systemClock } from "#base/clock.ts";
import { FileBlobStore } from "#blob/files.ts";
import { Catalog } from "#catalog/catalog.ts";
import { type BackupOptions, backup } from "#maintenance/backup.ts";
import { writeManifest } from "#maintenance/backup-directory.ts";
import { restore } from "#maintenance/restore.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { Bucket } from "#object/bucket.ts";
import { newBucketName, objectKey } from "#object/name.ts";
import { openDataDirectory } from "#server/data-directory.ts";
import { checked } from "#test/check/checked.ts";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { collectGarbage } from "#versioned/garbage.ts";
import { Hold } from "#versioned/hold.ts";

const NAME = newBucketName("bucket");

test("a backup under writes and deletes has what was acknowledged before it, whole", async (t) => {
  const store = await opened(t);
  for (let at = 0; at < 60; at += 1) await store.put(`before-${at}`, textOf(at));
  const stop = new AbortController();
  const others = [store.churn(stop.signal), store.churn(stop.signal), store.collect(stop.signal)];
  const to = join(await temporaryDirectory(), "backup");

  const report = await backup({ ...store.options, to });
  // Half of them go after the backup, the others are there still.
  for (let at = 0; at < 60; at += 2) await store.remove(`before-${at}`);
  stop.abort();
  await Promise.all(others);

  assert.deepEqual(report.check.problems, []);
  assert.equal(report.isTaken, true);
  const data = join(await temporaryDirectory(), "data");
  const restored = await restore({ ...RESTORE, from: to, data });
  assert.deepEqual(restored.check.problems, []);
  const copy = await opened(t, data);
  for (let at = 0; at < 60; at += 1) {
    assert.equal(await copy.read(`before-${at}`), textOf(at), `object ${at}`);
  }
});

test("a check beside writes and deletes finds nothing, and mends nothing", async (t) => {
  const store = await opened(t);
  const stop = new AbortController();
  const others = [store.churn(stop.signal), store.churn(stop.signal), store.collect(stop.signal)];
  for (let at = 0; at < 8; at += 1) {
    const report = await checked(store.stores, { isServed: true, repair: true });
    assert.deepEqual(report.problems, []);
  }
  stop.abort();
  await Promise.all(others);
});

test("a second backup brings only the blobs that are new, and lets go those that went", async (t) => {
  const store = await opened(t);
  await store.put("stays", textOf(1));
  await store.put("goes", textOf(2));
  const to = join(await temporaryDirectory(), "backup");
  const first = await backup({ ...store.options, to });
  assert.equal(first.blobs.linked + first.blobs.copied, 2);
  await store.remove("goes");
  await store.put("comes", textOf(3));
  await collectGarbage(store.stores, { beforeMs: Date.now() + 1 });

  const second = await backup({ ...store.options, to });

  const { kept, linked, copied } = second.blobs;
  assert.deepEqual({ kept, brought: linked + copied }, { kept: 1, brought: 1 });
  assert.equal(second.removed, 1);
  assert.deepEqual(readdirSync(join(to, "snapshots")), [second.snapshot]);
  assert.equal(blobsIn(to).length, 2);
});

test("blobs that may not be linked are copied", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const to = join(await temporaryDirectory(), "backup");

  const report = await backup({ ...store.options, to, copyBlobs: true });

  assert.equal(report.blobs.copied, 1);
  assert.equal(statSync(blobsIn(to)[0] ?? "").nlink, 1);
  assert.deepEqual(readdirSync(join(to, "blobs", "tmp")), []);
});

test("a backup of what is damaged does not count, and the one before does", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const to = join(await temporaryDirectory(), "backup");
  const { snapshot } = await backup({ ...store.options, to, copyBlobs: true });
  await store.put("lost", textOf(2));
  const newest = blobsIn(store.path).filter((path) => !existsSync(path.replace(store.path, to)));
  for (const path of newest) rmSync(path);

  const report = await backup({ ...store.options, to });

  assert.equal(report.isTaken, false);
  assert.deepEqual(
    report.check.problems.map(({ kind }) => kind),
    ["blob-missing"],
  );
  const data = join(await temporaryDirectory(), "data");
  await restore({ ...RESTORE, from: to, data });
  const copy = await opened(t, data);
  assert.equal(await copy.read("key"), textOf(1));
  assert.ok(readdirSync(join(to, "snapshots")).includes(snapshot));
});

test("a first backup of what is damaged does not count, and another may be made there when it is mended", async (t) => {
  const store = await opened(t);
  await store.put("lost", textOf(1));
  const to = join(await temporaryDirectory(), "backup");
  for (const path of blobsIn(store.path)) rmSync(path);

  assert.equal((await backup({ ...store.options, to })).isTaken, false);
  await assert.rejects(
    restore({ ...RESTORE, from: to, data: join(to, "restored") }),
    /there is no backup/,
  );
  await store.remove("lost");
  assert.equal((await backup({ ...store.options, to })).isTaken, true);
});

test("while a hold stands garbage waits, and goes when it is taken back", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const hold = await Hold.take(store.stores.meta, systemClock);
  await store.remove("key");

  assert.deepEqual(await collectGarbage(store.stores, { beforeMs: Date.now() + 1 }), {
    entries: 0,
    blobs: 0,
  });
  await hold[Symbol.asyncDispose]();

  assert.deepEqual(await collectGarbage(store.stores, { beforeMs: Date.now() + 1 }), {
    entries: 1,
    blobs: 1,
  });
});

test("a hold of somebody who died stands for ten minutes", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  await using _hold = await Hold.take(store.stores.meta, systemClock);
  await store.remove("key");
  const clock = { ...systemClock, now: () => Date.now() + 600_001 };

  const collected = await collectGarbage({ ...store.stores, clock }, { beforeMs: clock.now() });

  assert.deepEqual(collected, { entries: 1, blobs: 1 });
});

test("a hold from before the clock was set back stands for ten minutes more, and a living one for as long as it is renewed", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const aheadMs = 365 * 86_400_000;
  await using _dead = await Hold.take(store.stores.meta, at(aheadMs));
  await store.remove("key");
  const collectAt = async (ms: number) =>
    await collectGarbage({ ...store.stores, clock: at(ms) }, { beforeMs: Date.now() + ms + 1 });

  assert.equal((await collectAt(0)).entries, 0);
  assert.equal((await collectAt(590_000)).entries, 0);
  await using _living = await Hold.take(store.stores.meta, at(595_000));
  assert.equal((await collectAt(700_000)).entries, 0);

  assert.equal((await collectAt(1_300_000)).entries, 1);
});

test("keys are in a backup only when they are asked for", async (t) => {
  const store = await opened(t);
  const to = join(await temporaryDirectory(), "backup");
  const secrets = ["credentials", "admin-token", "master-key"];
  for (const name of [...secrets, "master-key-ids"]) writeFileSync(join(store.path, name), name);
  const there = () => secrets.filter((name) => existsSync(join(to, name)));

  await backup({ ...store.options, to, withKeys: true });
  assert.deepEqual(there(), secrets);
  assert.equal(statSync(join(to, "master-key")).mode & 0o777, 0o600);

  await backup({ ...store.options, to });
  assert.deepEqual(there(), []);
  // Which keys it takes is no secret: without it a server would make another.
  assert.ok(existsSync(join(to, "master-key-ids")));
});

test("a restore refuses a directory that is not empty, and a backup one that is something else", async (t) => {
  const store = await opened(t);
  const to = join(await temporaryDirectory(), "backup");
  await backup({ ...store.options, to });
  await assert.rejects(restore({ ...RESTORE, from: to, data: store.path }), /not empty/);
  await assert.rejects(backup({ ...store.options, to: store.path }), /something else/);
  await assert.rejects(restore({ ...RESTORE, from: store.path, data: "/nowhere" }), /no backup/);
});

test("a restore takes the snapshot that counts when nobody can take another there any more", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const to = join(await temporaryDirectory(), "backup");
  const { snapshot } = await backup({ ...store.options, to });
  const data = join(await temporaryDirectory(), "data");

  const restoring = restore({ ...RESTORE, from: to, data });
  // As another backup that ends in between leaves it.
  renameSync(join(to, "snapshots", snapshot), join(to, "snapshots", "another"));
  writeManifest(to, { format: 1, snapshot: "another", takenMs: 7 });

  assert.equal((await restoring).takenMs, 7);
  const copy = await opened(t, data);
  assert.equal(await copy.read("key"), textOf(1));
});

test("of two restores to one place one is made, and the other refused", async (t) => {
  const store = await opened(t);
  await store.put("key", textOf(1));
  const root = await temporaryDirectory();
  const backups = ["one", "two"].map((name) => join(root, name));
  for (const to of backups) await backup({ ...store.options, to });
  const data = join(root, "data");

  const ended = await Promise.allSettled(
    backups.map((from) => restore({ ...RESTORE, from, data })),
  );

  assert.deepEqual(ended.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const [refused] = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  assert.match(String(refused), /in use|not empty/);
  const copy = await opened(t, data);
  assert.equal(await copy.read("key"), textOf(1));
});

/** So much later than now. */
function at(ms: number): Clock {
  return { ...systemClock, now: () => Date.now() + ms };
}

const RESTORE = {
  clock: systemClock,
  copyBlobs: false,
  checksumBytesPerSecond: 2 ** 40,
  progress: () => undefined,
};

/** A data directory, served by nobody but this test. */
async function opened(t: TestContext, at?: string) {
  const path = at ?? (await temporaryDirectory());
  const directory = await openDataDirectory(path);
  const meta = new LmdbMetaStore(directory.metadata);
  const blobs = await FileBlobStore.open({ root: directory.blobs, owner: "test" });
  t.after(async () => {
    await meta[Symbol.asyncDispose]();
    await blobs[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });
  const limits = { inlineBytesMax: 16, partBytesMin: 5 };
  const stores = { meta, blobs, clock: systemClock, limits, keyring: TEST_KEYRING };
  const engine = new VersionedEngine(stores);
  const catalog = new Catalog(meta, systemClock);
  if (at === undefined) await catalog.create(NAME, { id: "owner", region: "r" });
  const bucket = await catalog.bucket(NAME);
  const options: Omit<BackupOptions, "to"> = {
    ...{ from: directory, meta, clock: systemClock, checksumBytesPerSecond: 2 ** 40 },
    ...{ withKeys: false, copyBlobs: false, evenDamaged: false, progress: () => undefined },
  };
  return { path, stores, options, ...wordsOf(engine, bucket, stores) };
}

function wordsOf(
  engine: VersionedEngine,
  bucket: Bucket,
  stores: Parameters<typeof collectGarbage>[0],
) {
  const put = async (key: string, text: string) => {
    const input = { body: bodyOf(text), attributes: NOTHING_SAID, conditions: {} };
    await engine.put({ bucket, key: objectKey(key) }, input);
  };
  const remove = async (key: string) => {
    await engine.delete({ bucket, key: objectKey(key) }, {});
  };
  return {
    ...{ put, remove },
    read: async (key: string): Promise<string> => {
      const { info, read } = await engine.get({ bucket, key: objectKey(key) });
      const chunks: Buffer[] = [];
      const content = read(0, info.sizeBytes);
      if (content instanceof Uint8Array) return Buffer.from(content).toString();
      for await (const chunk of content) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString();
    },
    /** Makes objects, replaces them and takes them away. */
    churn: async (signal: AbortSignal) => {
      for (let at = 0; !signal.aborted; at += 1) {
        await put(`churn-${at % 7}`, textOf(at));
        if (at % 3 === 0) await remove(`churn-${(at * 5) % 7}`);
      }
    },
    /** Throws away at once what is discarded. */
    collect: async (signal: AbortSignal) => {
      while (!signal.aborted) {
        await collectGarbage(stores, { beforeMs: Date.now() + 1 });
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** More than stands in a record. */
function textOf(at: number): string {
  return `${at} `.repeat(2_000);
}

function blobsIn(root: string): string[] {
  const all = readdirSync(join(root, "blobs"), { recursive: true, withFileTypes: true });
  return all.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}
