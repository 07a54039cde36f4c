/** What the garbage job does, and says, when a record in its way cannot be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageError } from "#base/error.ts";
import type { Log } from "#base/log.ts";
import type { BlobId, BlobStore } from "#blob/store.ts";
import { runGarbage } from "#job/garbage.ts";
import { checked } from "#test/check/checked.ts";
import { filled } from "#test/check/filled.ts";
import { newClock, storesOver } from "#test/model/stores.ts";
import { garbageKey, holdKey, manifestKey } from "#versioned/keys.ts";
import { packJson } from "#versioned/record.ts";

const ID = "ab".repeat(16);
const OTHER = "cd".repeat(16);
const NONSENSE = Buffer.from("nonsense");
const ROUNDS_MAX = 20;

for (const [what, keyOf] of [
  ["hold", holdKey],
  ["garbage entry", (id: string) => garbageKey(3, id)],
] as const) {
  test(`while a ${what} cannot be read garbage stays, which is told once by its name, until a check has removed it`, async () => {
    const store = await filled();
    const { meta, blobs, clock } = store;
    await meta.commit({ guards: [], writes: [{ key: keyOf(ID), value: NONSENSE }] });
    const garbage = packJson({ contentId: OTHER, blobs: [] });
    await meta.commit({ guards: [], writes: [{ key: garbageKey(5, ID), value: garbage }] });
    const told: string[] = [];
    const log: Pick<Log, "error"> = { error: (_, cause) => told.push(String(cause)) };
    const stop = new AbortController();
    let [rounds, entries] = [0, 0];
    const perRound: Record<number, () => Promise<unknown>> = {
      4: async () =>
        await meta.commit({ guards: [], writes: [{ key: keyOf(OTHER), value: NONSENSE }] }),
      8: async () => {
        assert.equal(
          (await store.all("g")).some(({ value }) => garbage.equals(value)),
          true,
        );
        await store.drop({ key: keyOf(ID), value: NONSENSE, revision: 0 });
      },
      12: async () => await checked(store, { repair: true }),
    };

    await runGarbage({
      stores: storesOver(meta, blobs),
      graceMs: 0,
      oldestReadMs: async () => {
        rounds += 1;
        await perRound[rounds]?.();
        if (entries > 0 || rounds === ROUNDS_MAX) stop.abort();
        return clock.now();
      },
      count: (collected) => {
        entries += collected.entries;
      },
      log: log as Log,
      signal: stop.signal,
    });

    assert.equal(entries, 1);
    assert.equal(rounds, 13);
    assert.deepEqual(
      told.map((text) => text.replace(/cannot be read.*/, "…")),
      [keyOf(ID), keyOf(OTHER)].map((key) => `StorageError: the ${what} ${key.toString("hex")} …`),
    );
    for (const text of told) assert.match(text, /"lode check --online --repair" removes it$/);
  });
}

test("what was decided to go a moment before a request began, and went while it read, waits for its end", async () => {
  const { meta, blobs, all } = await filled();
  const clock = newClock();
  const [decidedMs, graceMs] = [clock.now(), 1_000];
  const garbage = packJson({ contentId: OTHER, blobs: [] });
  await meta.commit({ guards: [], writes: [{ key: garbageKey(decidedMs, ID), value: garbage }] });
  const isThere = async () => (await all("g")).some(({ value }) => garbage.equals(value));
  const began = [decidedMs + 1, decidedMs + graceMs, decidedMs + graceMs + 1];
  const [seen, stop] = [[] as boolean[], new AbortController()];
  clock.move(1_000_000);

  await runGarbage({
    stores: storesOver(meta, blobs, clock),
    graceMs,
    oldestReadMs: async () => {
      seen.push(await isThere());
      const next = began[seen.length - 1];
      if (next === undefined) stop.abort();
      return next ?? 0;
    },
    count: () => {},
    log: { error: (_: string, cause: unknown) => assert.fail(String(cause)) } as unknown as Log,
    signal: stop.signal,
  });

  assert.deepEqual(seen, [true, true, true, false]);
});

for (const what of ["a manifest cannot be read", "a blob cannot be removed"]) {
  test(`while ${what} its own garbage stays, which is told once, and no other`, async () => {
    const { meta, blobs, all } = await filled();
    const isManifest = what.startsWith("a manifest");
    const entry = (contentId: string) =>
      packJson({ contentId, blobs: [contentId], ...(isManifest ? { manifest: true } : {}) });
    await meta.commit({
      guards: [],
      writes: [
        ...(isManifest ? [{ key: manifestKey(ID), value: NONSENSE }] : []),
        { key: garbageKey(3, ID), value: entry(ID) },
        { key: garbageKey(5, OTHER), value: entry(OTHER) },
      ],
    });
    const [told, stop] = [[] as string[], new AbortController()];
    const log: Pick<Log, "error"> = { error: (_, cause) => told.push(String(cause)) };
    const failing = new Unremovable(blobs, isManifest ? "" : ID);
    let rounds = 0;

    await runGarbage({
      stores: storesOver(meta, failing),
      graceMs: 0,
      oldestReadMs: async () => {
        rounds += 1;
        if (rounds === ROUNDS_MAX) stop.abort();
        return 10;
      },
      count: () => {},
      log: log as Log,
      signal: stop.signal,
    });

    const left = (await all("g")).map(({ key }) => Buffer.from(key));
    assert.ok(left.some((key) => key.equals(garbageKey(3, ID))));
    assert.ok(!left.some((key) => key.equals(garbageKey(5, OTHER))));
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", new RegExp(`the garbage of content ${ID} stays: `));
  });
}

/** Blobs of which the file system keeps one. */
class Unremovable implements BlobStore {
  readonly #inner: BlobStore;
  readonly #kept: BlobId;
  readonly create: BlobStore["create"];
  readonly read: BlobStore["read"];
  readonly readChecked: BlobStore["readChecked"];
  readonly size: BlobStore["size"];
  readonly list: BlobStore["list"];

  constructor(inner: BlobStore, kept: BlobId) {
    this.#inner = inner;
    this.#kept = kept;
    this.create = () => inner.create();
    this.read = (id, range) => inner.read(id, range);
    this.readChecked = (id, range) => inner.readChecked(id, range);
    this.size = (id) => inner.size(id);
    this.list = () => inner.list();
  }

  async remove(id: BlobId): Promise<void> {
    if (id === this.#kept) throw new StorageError("unavailable", "EPERM: operation not permitted");
    await this.#inner.remove(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
