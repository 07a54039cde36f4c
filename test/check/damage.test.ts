/** Each kind of damage, done to a store that was whole: it is found, and mended where that takes no guess. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BlobStore } from "#blob/store.ts";
import type { ProblemKind } from "#check/problem.ts";
import { packCounter } from "#meta/counter.ts";
import { checked, kindsOf, leftOf } from "#test/check/checked.ts";
import { over, refuses } from "#test/check/failing-blobs.ts";
import { type Filled, filled } from "#test/check/filled.ts";
import { garbageKey, holdKey, manifestKey, partCounterKey, referenceKey } from "#versioned/keys.ts";
import { packJson, packVersion, unpackVersion } from "#versioned/record.ts";

interface Damage {
  readonly title: string;
  readonly damage: (store: Filled) => Promise<unknown>;
  readonly found: Partial<Record<ProblemKind, number>>;
  /** What a repair leaves; nothing when absent. */
  readonly left?: Partial<Record<ProblemKind, number>>;
}

const ID = "ab".repeat(16);

const DAMAGES: readonly Damage[] = [
  {
    title: "a head that is lost",
    damage: async ({ drop, one }) => drop(await one("o", "plain")),
    found: { "head-missing": 1 },
  },
  {
    title: "a head that names another version than the newest",
    damage: async ({ write, one }) => {
      const { key } = await one("o", "plain");
      await write(key, (await one("o", "small")).value);
    },
    found: { "head-wrong": 1 },
  },
  {
    title: "a head that cannot be read",
    damage: async ({ write, one }) => write((await one("o", "plain")).key, Buffer.from("none")),
    found: { "head-wrong": 1 },
  },
  {
    title: "a head that has forgotten the null version",
    damage: async ({ write, one }) => {
      const { key, value } = await one("o", "versioned");
      const without = Buffer.from(value);
      without[1] = (without[1] ?? 0) & ~8;
      without.fill(0, 16, 24);
      await write(key, without);
    },
    found: { "head-wrong": 1 },
  },
  {
    title: "a version that is lost",
    damage: async ({ drop, one }) => drop(await one("v", "small")),
    found: { "head-dangling": 1, "usage-wrong": 2 },
    left: { "head-dangling": 1 },
  },
  {
    title: "a version that cannot be read",
    damage: async ({ write, one }) => write((await one("v", "small")).key, Buffer.from("{}")),
    found: { "unreadable-record": 1, "usage-wrong": 2 },
    left: { "unreadable-record": 1, "usage-wrong": 2 },
  },
  {
    title: "a bit that has flipped in a version",
    damage: async ({ write, one }) => {
      const { key, value } = await one("v", "small");
      const other = Buffer.from(value);
      other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
      await write(key, other);
    },
    found: { "unreadable-record": 1, "usage-wrong": 2 },
    left: { "unreadable-record": 1, "usage-wrong": 2 },
  },
  {
    title: "a version whose extents do not come to its size",
    damage: async ({ write, one }) => {
      const { key, value } = await one("v", "plain");
      const { record, inline } = unpackVersion(value);
      await write(key, whole({ ...record, sizeBytes: record.sizeBytes + 1 }, inline));
    },
    found: { "head-wrong": 1, "size-wrong": 1, "usage-wrong": 2 },
    left: { "size-wrong": 1 },
  },
  {
    title: "inline bytes that are others",
    damage: async ({ write, one }) => {
      const { key, value } = await one("v", "small");
      const { record, inline } = unpackVersion(value);
      await write(key, whole(record, Buffer.alloc(inline.length)));
    },
    found: { "inline-damaged": 1 },
    left: { "inline-damaged": 1 },
  },
  {
    title: "a manifest that is lost",
    damage: async ({ meta, contentOf }) =>
      await meta.commit({
        guards: [],
        writes: [{ key: manifestKey(await contentOf("parts")), value: undefined }],
      }),
    found: { "manifest-missing": 1, "reference-unheld": 2 },
    left: { "manifest-missing": 1, "reference-unheld": 2 },
  },
  {
    title: "a version in parts that is lost",
    damage: async ({ drop, one }) => {
      await drop(await one("v", "parts"));
      await drop(await one("o", "parts"));
    },
    found: { "manifest-unheld": 1, "reference-unheld": 2, "usage-wrong": 2 },
    left: { "manifest-unheld": 1, "reference-unheld": 2 },
  },
  {
    title: "a blob that is lost",
    damage: async ({ blobs, blobOf }) => await blobs.remove(await blobOf("plain")),
    found: { "blob-missing": 1 },
    left: { "blob-missing": 1 },
  },
  {
    title: "a blob that is cut short",
    damage: async ({ blobs, blobOf }) =>
      blobs.damage(await blobOf("plain"), (its) => its.subarray(1)),
    found: { "blob-size": 1, "blob-damaged": 1 },
    left: { "blob-size": 1, "blob-damaged": 1 },
  },
  {
    title: "a bit that has flipped in a blob",
    damage: async ({ blobs, blobOf }) =>
      blobs.damage(await blobOf("plain"), (its) =>
        Buffer.concat([Buffer.of((its[0] ?? 0) ^ 1), its.subarray(1)]),
      ),
    found: { "blob-damaged": 1 },
    left: { "blob-damaged": 1 },
  },
  {
    title: "a reference that is lost",
    damage: async ({ meta, blobOf, contentOf }) => {
      const key = referenceKey(await blobOf("plain"), await contentOf("plain"));
      await meta.commit({ guards: [], writes: [{ key, value: undefined }] });
    },
    found: { "reference-missing": 1 },
  },
  {
    title: "a reference of a part that is lost",
    damage: async ({ meta, blobOf, uploadId }) => {
      const key = referenceKey(await blobOf("open"), uploadId);
      await meta.commit({ guards: [], writes: [{ key, value: undefined }] });
    },
    found: { "reference-missing": 1 },
  },
  {
    title: "a reference too many to a blob that is held",
    damage: async ({ write, blobOf }) =>
      write(referenceKey(await blobOf("plain"), ID), Buffer.alloc(0)),
    found: { "reference-unheld": 1 },
  },
  {
    title: "a reference to a blob that is not there",
    damage: async ({ write }) => write(referenceKey(ID, ID), Buffer.alloc(0)),
    found: { "reference-unheld": 1 },
  },
  {
    title: "an upload that is lost",
    damage: async ({ drop, one }) => drop(await one("u", "open")),
    found: { "parts-unheld": 1, "part-counter-unheld": 1, "reference-unheld": 1, "usage-wrong": 2 },
    left: { "parts-unheld": 1, "reference-unheld": 1 },
  },
  {
    title: "an upload that cannot be read",
    damage: async ({ write, one }) => write((await one("u", "open")).key, Buffer.from("{}")),
    found: {
      ...{ "unreadable-record": 1, "parts-unheld": 1, "part-counter-unheld": 1 },
      ...{ "reference-unheld": 1, "usage-wrong": 2 },
    },
    left: {
      ...{ "unreadable-record": 1, "parts-unheld": 1, "part-counter-unheld": 1 },
      ...{ "reference-unheld": 1, "usage-wrong": 2 },
    },
  },
  {
    title: "a counter of parts that is lost",
    damage: async ({ drop, uploadId, meta }) => {
      const entry = await meta.get(partCounterKey(uploadId));
      assert.ok(entry);
      await drop(entry);
    },
    found: { "part-counter-wrong": 1 },
  },
  {
    title: "a counter of parts that is wrong",
    damage: async ({ write, uploadId }) => write(partCounterKey(uploadId), packCounter([1, 3])),
    found: { "part-counter-wrong": 1 },
  },
  {
    title: "garbage that is none",
    damage: async ({ write }) => write(garbageKey(5, ID), Buffer.from("nonsense")),
    found: { "garbage-malformed": 1 },
  },
  {
    title: "a hold that is none",
    damage: async ({ write }) => write(holdKey(ID), Buffer.from("nonsense")),
    found: { "hold-malformed": 1 },
  },
  {
    title: "a hold without a time",
    damage: async ({ write }) => write(holdKey(ID), packJson({ parts: [] })),
    found: { "hold-malformed": 1 },
  },
  {
    title: "garbage that names what is held",
    damage: async ({ write, contentOf, blobOf }) => {
      const record = { contentId: await contentOf("plain"), blobs: [await blobOf("plain")] };
      await write(garbageKey(5, ID), packJson(record));
    },
    found: { "garbage-of-held": 1 },
  },
  {
    title: "garbage that names the manifest of a version",
    damage: async ({ write, contentOf }) => {
      const record = { contentId: await contentOf("parts"), blobs: [], manifest: true } as const;
      await write(garbageKey(5, ID), packJson(record));
    },
    found: { "garbage-of-held": 1 },
  },
  {
    title: "garbage that names the parts of an open upload",
    damage: async ({ write, uploadId }) =>
      write(garbageKey(5, ID), packJson({ contentId: uploadId, blobs: [], parts: "all" })),
    found: { "garbage-of-held": 1 },
  },
  {
    title: "a counter of usage that is wrong",
    damage: async ({ write, bucketId }) =>
      write(Buffer.from(`6e${bucketId}`, "hex"), packCounter([7, 7, 7, 7, 7])),
    found: { "usage-wrong": 1 },
  },
  {
    title: "a counter of a zone that is lost",
    damage: async ({ drop, all }) => drop((await all("N"))[0]),
    found: { "usage-wrong": 1 },
  },
  {
    title: "a counter of a bucket that is not there",
    damage: async ({ write }) => write(Buffer.from(`6e${"cd".repeat(8)}`, "hex"), packCounter([1])),
    found: { "usage-wrong": 1 },
  },
  {
    title: "a bucket that the index of its owner lacks",
    damage: async ({ drop, all }) => drop((await all("B"))[0]),
    found: { "index-missing": 1 },
  },
  {
    title: "an owner's index of a bucket that is not there",
    damage: async ({ write }) => write(Buffer.from("Bowner/gone"), Buffer.of(0)),
    found: { "index-dangling": 1 },
  },
  ...["Uowner/ada", "d"].map((key) => ({
    title: `a bit that has flipped in the record ${key}…, which may still be read as another`,
    damage: async ({ write, one }: Filled) => {
      const entry = await one(key.slice(0, 1), key.slice(1));
      const other = Buffer.from(entry.value);
      other[other.length - 4] = (other.at(-4) ?? 0) ^ 1;
      await write(entry.key, other);
    },
    found: { "control-unreadable": 1 },
    left: { "control-unreadable": 1 },
  })),
  {
    title: "a token of a rename that nothing would clear away",
    damage: async ({ write, bucketId }) =>
      write(
        Buffer.concat([Buffer.from(`74${bucketId}`, "hex"), Buffer.from("token")]),
        packJson({ fingerprint: "", etag: "" }),
      ),
    found: { "rename-token-unheld": 1 },
  },
];

for (const { title, damage, found, left = {} } of DAMAGES) {
  const mended = Object.keys(left).length === 0 ? "mended" : "told of";
  test(`${title} is found, and ${mended}`, async () => {
    const store = await filled();
    assert.deepEqual(kindsOf(await checked(store)), {}, "whole to begin with");
    await damage(store);
    const before = await contentsOf(store);

    const first = await checked(store);
    assert.deepEqual(kindsOf(first), found);
    assert.deepEqual(await contentsOf(store), before, "a check changes nothing");

    const repair = await checked(store, { repair: true });
    assert.deepEqual(kindsOf(repair), found);
    assert.deepEqual(leftOf(repair), left);
    assert.deepEqual(kindsOf(await checked(store)), left);
  });
}

test("what may be the last trace of something goes only when that is asked for", async () => {
  const store = await filled();
  await store.drop(await store.one("v", "parts"));
  await store.drop(await store.one("o", "parts"));

  await checked(store, { repair: true, discard: true });

  assert.deepEqual(leftOf(await checked(store)), {});
});

test("a blob that the disk does not give is told of, and what comes behind it is read", async () => {
  const store = await filled();
  const blob = await store.blobOf("plain");
  const readChecked: BlobStore["readChecked"] = (id, range) =>
    id === blob ? refuses("EIO") : store.blobs.readChecked(id, range);

  const report = await checked({ ...store, blobs: over(store.blobs, { readChecked }) });

  assert.deepEqual(kindsOf(report), { "blob-unreadable": 1 });
  assert.equal(report.read?.blobs, report.counts.blobs - 1);
});

test("a damaged blob is told of for each object that has it", async () => {
  const store = await filled();
  const [blob, content] = [await store.blobOf("plain"), await store.contentOf("plain")];
  const { key, value } = await store.one("v", "plain");
  const { record, inline } = unpackVersion(value);
  assert.ok(record.content.kind === "extents");
  const copied = Buffer.from(key);
  copied[copied.length - 1] = (copied.at(-1) ?? 0) ^ 1;
  await store.write(copied, whole({ ...record, content: { ...record.content, id: ID } }, inline));
  for (const id of [content, ID]) await store.write(referenceKey(blob, id), Buffer.alloc(0));
  await store.blobs.damage(blob, (its) =>
    Buffer.concat([Buffer.of((its[0] ?? 0) ^ 1), its.subarray(1)]),
  );

  assert.equal(kindsOf(await checked(store))["blob-damaged"], 2);
});

async function contentsOf({ meta, blobs }: Filled): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  const from = Buffer.of(0);
  const to = Buffer.of(255);
  for (const { key, value, revision } of await meta.scan({ from, to, limit: 10_000 })) {
    all.push([Buffer.from(key).toString("hex"), Buffer.from(value).toString("hex"), revision]);
  }
  for await (const { id, sizeBytes } of blobs.list()) all.push([id, sizeBytes]);
  return all;
}

/** A version as it stands in the store. */
function whole(...version: Parameters<typeof packVersion>): Buffer {
  const { value, tail } = packVersion(...version);
  return Buffer.concat([value, tail]);
}
