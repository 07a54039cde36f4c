/**
 * What a power cut in the middle of an LMDB commit leaves. LMDB writes a commit's pages, syncs them, and
 * then switches to them by a few bytes of one meta page (system-calls.test.ts sees that order): so until
 * then any of the pages may be there, whole or in part, and nobody may see any of it.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import type { Change, Entry, MetaStore } from "#meta/store.ts";
import { LONG } from "#test/support/runs.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const PAGE_BYTES = 4_096;
/** The first two pages of the file. */
const META_PAGES = 2;
const COMMITS = LONG ? 400 : 30;
const CUTS = LONG ? 20 : 3;
const EVERYTHING = { from: Buffer.of(1), to: Buffer.of(255), limit: 10_000 };

/** Small and large values, over others and gone again: pages are split, freed and taken again. */
const change = fc
  .array(fc.tuple(fc.nat(40), fc.constantFrom(0, 30, 900, 9_000, -1)), {
    minLength: 1,
    maxLength: 6,
  })
  .map(
    (pairs): Change => ({
      guards: [],
      writes: pairs.map(([key, size]) => ({
        key: Buffer.from(`key ${key}`),
        value: size < 0 ? undefined : Buffer.alloc(size, key),
      })),
    }),
  );
const fates = fc.array(fc.constantFrom("none", "half", "all"), { minLength: 64, maxLength: 64 });

test("a commit that a power cut tears is as if it had never been, and the next one takes its place", async () => {
  const root = await temporaryDirectory();
  await using store = new LmdbMetaStore(join(root, "store"));
  const file = () => readFileSync(join(root, "store", "data.mdb"));
  const replica = async (bytes: Buffer) => {
    replicas += 1;
    const path = join(root, `replica-${replicas}`);
    mkdirSync(path);
    writeFileSync(join(path, "data.mdb"), bytes);
    return new LmdbMetaStore(path);
  };
  let replicas = 0;
  let torn = 0;
  await store.commit({ guards: [], writes: [] });
  const drawn = fc.sample(fates, { numRuns: COMMITS * CUTS, seed: 7 });
  for (const [index, each] of fc.sample(change, { numRuns: COMMITS, seed: 7 }).entries()) {
    const [before, contents] = [file(), await contentsOf(store)];
    const sequence = await store.commit(each);
    const after = file();
    for (const fate of drawn.slice(index * CUTS, (index + 1) * CUTS)) {
      const bytes = tear(before, after, fate);
      if (!bytes.subarray(0, before.length).equals(before)) torn += 1;
      await using left = await replica(bytes);

      assert.deepEqual(await contentsOf(left), contents, `commit ${index}`);
      assert.equal(await left.commit(each), sequence);
      assert.deepEqual(await contentsOf(left), await contentsOf(store));
    }
    await using whole = await replica(after);
    assert.deepEqual(await contentsOf(whole), await contentsOf(store));
  }
  // Pages that the old state does not know were there, and did no harm.
  assert.ok(torn > COMMITS, `${torn} of ${COMMITS * CUTS}`);
});

async function contentsOf(store: MetaStore): Promise<readonly (readonly unknown[])[]> {
  const entries = await store.scan(EVERYTHING);
  return entries.map(({ key, value, revision }: Entry) => [
    ...[Buffer.from(key).toString(), Buffer.from(value).toString("hex"), revision],
  ]);
}

/** The file before, with what fate lets through of the pages that differ after, and the old meta pages. */
function tear(before: Buffer, after: Buffer, fate: readonly string[]): Buffer {
  const left = Buffer.alloc(Math.max(before.length, after.length));
  before.copy(left);
  for (let page = META_PAGES; page * PAGE_BYTES < after.length; page += 1) {
    const from = page * PAGE_BYTES;
    const bytes = after.subarray(from, from + PAGE_BYTES);
    const share = { none: 0, half: 0.5, all: 1 }[fate[page % fate.length] ?? "none"] ?? 0;
    bytes.copy(left, from, 0, bytes.length * share);
  }
  return left;
}
