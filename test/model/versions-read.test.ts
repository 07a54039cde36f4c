/** What a list shows of a version is the same whether it is read off a head or off the version's record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { PackedEntries } from "#meta/packed.ts";
import type { PackedRange } from "#meta/store.ts";
import type { ListedVersion } from "#object/engine.ts";
import { newBucketName, objectKey } from "#object/name.ts";
import { bodyOf, NOTHING_SAID } from "#test/contract/engine.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const KEYS = 50;
const NAME = newBucketName("bucket");

/** Runs `meanwhile` once, when as many scans of a list are done. */
class InterruptedStore extends MemoryMetaStore {
  meanwhile: (() => Promise<void>) | undefined;
  scans = 0;

  override async scanPacked(range: PackedRange): Promise<PackedEntries> {
    const entries = await super.scanPacked(range);
    this.scans -= 1;
    const { meanwhile } = this;
    if (this.scans !== 0) return entries;
    this.meanwhile = undefined;
    await meanwhile?.();
    return entries;
  }
}

async function start() {
  const meta = new InterruptedStore();
  const clock = newClock();
  const engine = new VersionedEngine(storesOver(meta, new MemoryBlobStore(clock), clock));
  const catalog = new Catalog(meta, clock);
  await catalog.create(NAME, { id: "ab1cd2", region: "us-east-1" });
  const put = async (key: string, text: string, note = "") => {
    clock.move(1_000);
    const attributes = { ...NOTHING_SAID, userMetadata: { note } };
    const name = { bucket: await catalog.bucket(NAME), key: objectKey(key) };
    return await engine.put(name, { body: bodyOf(text), attributes, conditions: {} });
  };
  const remove = async (key: string, versionId?: string) => {
    clock.move(1_000);
    const name = { bucket: await catalog.bucket(NAME), key: objectKey(key) };
    await engine.delete(versionId === undefined ? name : { ...name, versionId }, {});
  };
  const list = async (limit: number) => {
    const bucket = await catalog.bucket(NAME);
    const versions: ListedVersion[] = [];
    let after: { readonly key: string; readonly versionId?: string | undefined } | undefined;
    for (after = { key: "" }; after !== undefined; ) {
      const at = { afterKey: after.key, afterVersionId: after.versionId, limit };
      const page = await engine.listVersions(bucket, { prefix: "", delimiter: "", ...at });
      versions.push(...page.versions);
      after = page.next;
    }
    return versions;
  };
  const keepVersions = async () => {
    await catalog.setVersioning(await catalog.bucket(NAME), "Enabled");
  };
  return { meta, put, remove, list, keepVersions };
}

const keyAt = (index: number) => `key-${String(index).padStart(3, "0")}`;

for (const [records, note] of [
  ["small", ""],
  ["large", "x".repeat(1_800)],
] as const) {
  test(`pages of 1,000 and of 2 show the same of null versions, markers and older versions with ${records} records`, async () => {
    const { put, remove, list, keepVersions } = await start();
    for (let index = 0; index < KEYS; index += 1) await put(keyAt(index), "first", note);
    await keepVersions();
    for (let index = 0; index < KEYS; index += 3)
      await put(keyAt(index), "of more than 16 bytes", note);
    for (let index = 0; index < KEYS; index += 7) await remove(keyAt(index));

    const whole = await list(1_000);

    assert.deepEqual(whole, await list(2));
    assert.equal(whole.length, KEYS + Math.ceil(KEYS / 3) + Math.ceil(KEYS / 7));
    assert.equal(whole.filter(({ isLatest }) => isLatest).length, KEYS);
  });
}

for (const [kept, isKept] of [
  ["kept", true],
  ["not kept", false],
] as const) {
  for (const scans of [1, 2, 3, 4]) {
    test(`where versions are ${kept}, a list that others write beside is as before or after it (scan ${scans})`, async () => {
      const { meta, put, remove, list, keepVersions } = await start();
      if (isKept) await keepVersions();
      for (let index = 0; index < 6; index += 1) await put(keyAt(index), String(index));
      for (const index of [1, 2, 4]) await put(keyAt(index), `${index} again`);
      const before = await list(1_000);
      meta.scans = scans;
      meta.meanwhile = async () => {
        await put(keyAt(0), "replaced");
        await put(`${keyAt(0)}-new`, "between");
        await remove(keyAt(1));
        const older = before.findLast(({ key }) => key === keyAt(2));
        await remove(keyAt(2), older?.versionId);
      };

      const during = await list(1_000);

      // What was not come upon while the list was read comes after it.
      await meta.meanwhile?.();
      const after = await list(1_000);
      assert.notDeepEqual(after, before);
      const isWhole = [before, after].some((whole) => isDeepStrictEqual(during, whole));
      assert.ok(isWhole, JSON.stringify(during));
    });
  }
}

test("a version that is removed or replaced by another when its key alone was read is not missed", async () => {
  const { meta, put, list } = await start();
  await put(keyAt(0), "first");
  meta.scans = 1;
  meta.meanwhile = async () => {
    await put(keyAt(0), "second");
  };

  const versions = await list(1_000);

  assert.equal(meta.meanwhile, undefined);
  assert.deepEqual(
    versions.map(({ key, sizeBytes }) => [key, sizeBytes]),
    [[keyAt(0), "second".length]],
  );
});
