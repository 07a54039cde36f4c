import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { referenceKey } from "#versioned/keys.ts";
import { removeOrphans } from "#versioned/orphans.ts";

const CONTENT = "cd".repeat(16);

async function stores() {
  const meta = new MemoryMetaStore();
  const blobs = new MemoryBlobStore();
  const put = async () => {
    await using writer = await blobs.create();
    await writer.write(Buffer.from("bytes"));
    return (await writer.finish()).id;
  };
  const refer = async (id: string) =>
    await meta.commit({
      guards: [],
      writes: [{ key: referenceKey(id, CONTENT), value: Buffer.alloc(0) }],
    });
  const limits = { inlineBytesMax: 0, partBytesMin: 1 };
  return { stores: { meta, blobs, clock: systemClock, limits, keyring: TEST_KEYRING }, put, refer };
}

const ASK = {
  ageMsMin: 0,
  waitMs: 20,
  oldestMs: async () => Date.now() + 1,
  signal: new AbortController().signal,
};

test("a blob that nothing refers to is removed, and no other", async () => {
  const { stores: all, put, refer } = await stores();
  const [orphan, held] = [await put(), await put()];
  await refer(held);

  const { removed } = await removeOrphans(all, ASK);

  assert.equal(removed, 1);
  assert.equal(await all.blobs.size(orphan), undefined);
  assert.equal(await all.blobs.size(held), 5);
});

test("a blob that is young stays", async () => {
  const { stores: all, put } = await stores();
  const young = await put();

  assert.equal((await removeOrphans(all, { ...ASK, ageMsMin: 3_600_000 })).removed, 0);
  assert.equal(await all.blobs.size(young), 5);
});

test("a blob whose commit comes between the two looks stays", async () => {
  const { stores: all, put, refer } = await stores();
  const late = await put();

  const removing = removeOrphans(all, { ...ASK, waitMs: 100 });
  await systemClock.sleep(30);
  await refer(late);

  assert.equal((await removing).removed, 0);
  assert.equal(await all.blobs.size(late), 5);
});

test("a blob stays while a request runs that began before the first look, and may still commit it", async () => {
  const { stores: all, put, refer } = await stores();
  const held = await put();
  const beganMs = Date.now() - 1;
  let asked = 0;
  const oldestMs = async () => {
    asked += 1;
    if (asked < 3) return beganMs;
    await refer(held);
    return Date.now() + 1;
  };

  assert.equal((await removeOrphans(all, { ...ASK, waitMs: 1, oldestMs })).removed, 0);
  assert.equal(await all.blobs.size(held), 5);
});

test("a clock that is set back between the two looks delays the second for no longer than one wait", async () => {
  const { stores: all, put } = await stores();
  const orphan = await put();
  const clock = new MovableClock(1_000_000);
  let waits = 0;
  const sleep = async () => {
    waits += 1;
    clock.move(waits === 1 ? -500_000 : 20);
  };

  const { removed } = await removeOrphans(
    { ...all, clock: { now: clock.now, sleep } },
    { ...ASK, oldestMs: async () => clock.now(), signal: AbortSignal.timeout(1_000) },
  );

  assert.equal(removed, 1);
  assert.equal(waits, 2);
  assert.equal(await all.blobs.size(orphan), undefined);
});
