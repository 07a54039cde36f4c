/** What a list shows of a version is the same whether it is read off a head or off the version's record. */
import assert from "node:assert/strict";
import { test } from "node:test";
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

/** Runs `meanwhile` once, when versions have been read and their heads have not. */
class InterruptedStore extends MemoryMetaStore {
  meanwhile: (() => Promise<void>) | undefined;

  override async scanPacked(range: PackedRange): Promise<PackedEntries> {
    const entries = await super.scanPacked(range);
    const { meanwhile } = this;
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

test("a version that is replaced or removed while a list is read is shown as it was when the list was", async () => {
  const { meta, put, remove, list, keepVersions } = await start();
  await keepVersions();
  for (let index = 0; index < 6; index += 1) await put(keyAt(index), String(index));
  const before = await list(1_000);
  meta.meanwhile = async () => {
    await put(keyAt(0), "replaced");
    await put(`${keyAt(0)}-new`, "between");
    await remove(keyAt(1));
    await remove(keyAt(2), before[2]?.versionId);
  };

  assert.deepEqual(await list(1_000), before);
  assert.equal(meta.meanwhile, undefined);
  assert.equal((await list(1_000)).length, 8);
});
