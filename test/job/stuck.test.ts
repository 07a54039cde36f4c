/** What stays, since it cannot be read or removed, or was written while the clock was ahead: the rest goes all the same. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { FileBlobStore } from "#blob/files.ts";
import { JobPlace } from "#catalog/job-place.ts";
import { runGarbage } from "#job/garbage.ts";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { MovableClock } from "#test/support/movable-clock.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";
import { garbageKey, manifestKey } from "#versioned/keys.ts";
import { removeOrphans } from "#versioned/orphans.ts";
import { packJson } from "#versioned/record.ts";
import type { Stores } from "#versioned/store.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 2);
const NONSENSE = Buffer.from("nonsense");
const ROUNDS_MAX = 40;

test("more garbage than a round takes cannot be worked off: what stands behind it goes all the same, and it is tried again", async (t) => {
  const store = await opened(t);
  const stuck = Array.from({ length: 220 }, (_, at) => idOf(at + 1));
  const last = await store.discard(START_MS + 7, { contentId: idOf(999) });
  const { meta } = store.stores;
  await meta.commit({
    guards: [],
    writes: stuck.flatMap((contentId) => [
      { key: manifestKey(contentId), value: NONSENSE },
      garbageAt(START_MS, { contentId, manifest: true }),
    ]),
  });
  store.clock.move(DAY_MS);

  await store.collect(async () => !(await store.isThere(last)));
  assert.equal((await store.garbage()).length, stuck.length);

  // As a check mends them.
  const value = packJson({ parts: [] });
  const writes = stuck.map((contentId) => ({ key: manifestKey(contentId), value }));
  await meta.commit({ guards: [], writes });
  await store.collect(async () => (await store.garbage()).length === 0);
  assert.deepEqual(await store.garbage(), []);
});

test("garbage from before the clock was set back by years is gone two days later", async (t) => {
  const store = await opened(t);
  await store.discard(START_MS + 3 * 365 * DAY_MS, { contentId: idOf(1) });
  await store.collect(async () => false);
  assert.equal((await store.garbage()).length, 1);
  store.clock.move(2 * DAY_MS);

  await store.collect(async () => (await store.garbage()).length === 0);

  assert.deepEqual(await store.garbage(), []);
});

test("what is to go a day from now, as the token of a rename, stays as long", async (t) => {
  const store = await opened(t);
  const entry = await store.discard(START_MS + DAY_MS, { contentId: "" });
  await store.collect(async () => false);

  store.clock.move(DAY_MS - 1);
  await store.collect(async () => false);
  assert.ok(await store.isThere(entry));

  store.clock.move(2);
  await store.collect(async () => !(await store.isThere(entry)));
  assert.equal(await store.isThere(entry), false);
});

test("an orphan that cannot be removed keeps no other, and is told", async (t) => {
  const { stores, blobs, root } = await opened(t);
  // Not a file: the system refuses to remove it as one.
  for (const id of [idOf(0), `ff${idOf(0).slice(2)}`]) mkdirSync(join(root, id.slice(0, 2), id));
  const orphans: string[] = [];
  for (let at = 0; at < 5; at += 1) {
    await using writer = await blobs.create();
    await writer.write(Buffer.from("bytes"));
    orphans.push((await writer.finish()).id);
  }
  const ask = { ageMsMin: 0, waitMs: 1, oldestMs: async () => Infinity, signal: never() };

  const { removed, failure } = await removeOrphans(stores, ask);

  assert.equal(removed, orphans.length);
  assert.equal(failure?.kind, "unavailable");
  for (const id of orphans) assert.equal(await blobs.size(id), undefined);
});

test("a job whose place cannot be read begins anew, and one process has it", async (t) => {
  const { stores } = await opened(t);
  const { meta, clock } = stores;
  const start = () => new JobPlace<number>(meta, clock, "sweep");
  await (await start().take("before", 1_000))?.save(7);
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("jsweep"), value: NONSENSE }] });

  assert.equal(await start().read(), undefined);
  const taken = await Promise.all(["one", "two"].map((name) => start().take(name, 1_000)));

  const [held, ...others] = taken.flatMap((each) => each ?? []);
  assert.deepEqual(others, []);
  assert.equal(held?.place, undefined);
  assert.equal(await held?.save(8), true);
  assert.equal(await start().read(), 8);
});

async function opened(t: TestContext) {
  const meta = new LmdbMetaStore(await temporaryDirectory());
  const root = await temporaryDirectory();
  const blobs = await FileBlobStore.open({ root, owner: "test" });
  t.after(async () => {
    await blobs[Symbol.asyncDispose]();
    await meta[Symbol.asyncDispose]();
  });
  const clock = new MovableClock(START_MS);
  const limits = { inlineBytesMax: 0, partBytesMin: 1 };
  const stores: Stores = { meta, blobs, clock, limits, keyring: TEST_KEYRING };
  const garbage = async () =>
    await meta.scan({ from: Buffer.from("g"), to: Buffer.from("h"), limit: 1_000 });
  return {
    ...{ stores, blobs, root, clock, garbage },
    discard: async (atMs: number, record: Discarded) => {
      const write = garbageAt(atMs, record);
      await meta.commit({ guards: [], writes: [write] });
      return write.value;
    },
    isThere: async (value: Buffer) => (await garbage()).some((entry) => value.equals(entry.value)),
    /** Rounds of the job, until it is done, or has had its chance. */
    collect: async (isDone: () => Promise<boolean>) => {
      const stop = new AbortController();
      let rounds = 0;
      const quick: Clock = { now: clock.now, sleep: async () => undefined };
      await runGarbage({
        stores: { ...stores, clock: quick },
        graceMs: 0,
        oldestReadMs: async () => {
          rounds += 1;
          if (rounds === ROUNDS_MAX || (await isDone())) stop.abort();
          return clock.now();
        },
        count: () => undefined,
        log: { error: () => undefined } as unknown as Log,
        signal: stop.signal,
      });
    },
  };
}

interface Discarded {
  readonly contentId: string;
  readonly manifest?: true;
}

function garbageAt(atMs: number, record: Discarded) {
  const key = garbageKey(atMs, record.contentId === "" ? idOf(7_777) : record.contentId);
  return { key, value: packJson({ blobs: [], ...record }) };
}

function idOf(at: number): string {
  return at.toString(16).padStart(32, "0");
}

function never(): AbortSignal {
  return new AbortController().signal;
}
