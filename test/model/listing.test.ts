import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ListAsk } from "#object/engine.ts";
import { bucketName, objectKey } from "#object/name.ts";
import type { Call } from "#test/model/call.ts";
import { History } from "#test/model/history.ts";
import { listingOf, type Row } from "#test/model/listing.ts";
import { memoryStores } from "#test/model/stores.ts";
import { NO_ATTRIBUTES } from "#test/model/version.ts";
import { runs } from "#test/support/runs.ts";

/** Keys between which the orders of bytes, of UTF-16 units and of escaped keys disagree. */
const NASTY_KEYS = [
  ...["a", "a/", "a/b", "a-b", "a.b", "a//", "a/b/c", "aa", "ab", "b", "b/"],
  ...["\uFFFD", "\u{10000}", "\u{10000}/a", "\uFFFD/a", "é", "é/"],
  ...["\u0000", "a\u0000", "a\u0000b", "a\u0000\u0001", "a\u0001", "a\u0000\u0000", "a\u00FF"],
];
const BUCKET = "first";
const nastyKey = fc.constantFrom(...NASTY_KEYS);
const anyKey = fc.oneof(
  { weight: 4, arbitrary: nastyKey },
  {
    weight: 1,
    arbitrary: fc.string({
      ...{ minLength: 1, maxLength: 4, unit: fc.constantFrom(..."ab/\u0000\u{10000}\uFFFD") },
    }),
  },
);
const listAsk = fc.record({
  prefix: fc.oneof(fc.constantFrom("", "", "a", "a/", "a\u0000", "\uFFFD", "\u{10000}"), nastyKey),
  delimiter: fc.constantFrom(
    ...["", "/", "/", "b", "a", "aa", "/b", "\u0000", "\u0001", "\u{10000}", "\uFFFD/"],
  ),
  after: fc.oneof(fc.constant(""), anyKey),
  limit: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, 1_000)),
});

const put = (key: string): Call => ({
  ...{ kind: "put", bucket: BUCKET, key, bytes: Buffer.from(key), attributes: NO_ATTRIBUTES },
  ...{ algorithm: undefined, wrong: undefined, conditions: {} },
});
const remove = (key: string): Call => ({ kind: "delete", bucket: BUCKET, key, conditions: {} });
const begin = (key: string): Call => ({
  ...{ kind: "createUpload", bucket: BUCKET, key, attributes: NO_ATTRIBUTES },
  ...{ algorithm: undefined, checksumType: undefined },
});

const setVersioning = (to: "Enabled" | "Suspended"): Call => ({
  ...{ kind: "setVersioning", bucket: BUCKET, to },
});

/** A bucket with objects under many keys, some again and again, some deleted where versions are kept. */
const filled = fc
  .record({
    before: fc.array(nastyKey, { maxLength: 6, size: "max" }),
    keys: fc.array(nastyKey, { maxLength: 14, size: "max" }),
    deleted: fc.uniqueArray(nastyKey, { maxLength: 5 }),
    versioning: fc.constantFrom(undefined, "Enabled" as const, "Suspended" as const),
  })
  .map(({ before, keys, deleted, versioning }): Call[] => [
    ...before.map(put),
    ...(versioning === undefined ? [] : [setVersioning("Enabled")]),
    ...keys.slice(0, 8).map(put),
    ...(versioning === "Suspended" ? [setVersioning("Suspended"), ...before.map(put)] : []),
    ...(versioning === undefined ? [] : [setVersioning("Enabled")]),
    ...[...keys.map(put), ...deleted.map(remove)],
  ]);

const SOME = runs({ short: 250, long: 40_000 });

test("a list of any bucket by any prefix, delimiter, start and limit is the naive one", async () => {
  await fc.assert(
    fc.asyncProperty(filled, listAsk, async (calls, ask) => {
      const { engine, bucket, view } = await filledBucket(calls);

      const page = await engine.list(bucket, ask);

      const naive = listingOf(keysOf(view.objects), same, ask);
      assert.deepEqual([page.objects.map(({ key }) => key), page.prefixes], split(naive.rows));
      assert.equal(page.next, ask.limit === 0 ? undefined : naive.next);
    }),
    SOME,
  );
});

test("the pages of a list, one after the other, are the whole list, and nothing comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(filled, listAsk, async (calls, given) => {
      const { engine, bucket, view } = await filledBucket(calls);
      const ask: ListAsk = { ...given, limit: Math.max(1, given.limit) };
      const [keys, prefixes]: [string[], string[]] = [[], []];
      for (let after: string | undefined = ask.after; after !== undefined; ) {
        const page = await engine.list(bucket, { ...ask, after });
        keys.push(...page.objects.map(({ key }) => key));
        prefixes.push(...page.prefixes);
        assert.ok(page.objects.length + page.prefixes.length <= ask.limit);
        assert.ok(keys.length + prefixes.length < 100, "it comes to an end");
        after = page.next;
      }

      const whole = listingOf(keysOf(view.objects), same, { ...ask, limit: 1_000 });
      assert.deepEqual([keys, prefixes], split(whole.rows));
    }),
    SOME,
  );
});

test("the pages of a list of versions are all versions, by key and age, and nothing comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(filled, listAsk, async (calls, ask) => {
      const { engine, bucket, view } = await filledBucket(calls);
      const { prefix, delimiter, after } = ask;
      const [ids, prefixes]: [unknown[], string[]] = [[], []];
      let from: { readonly key: string; readonly versionId?: string | undefined } | undefined;
      for (from = { key: after }; from !== undefined; ) {
        const at = { afterKey: from.key, afterVersionId: from.versionId, limit: ask.limit || 1 };
        const page = await engine.listVersions(bucket, { prefix, delimiter, ...at });
        ids.push(
          ...page.versions.map(({ key, versionId, isLatest }) => [key, versionId, isLatest]),
        );
        prefixes.push(...page.prefixes);
        from = page.next;
      }

      const rows = listingOf(keysOf(view.versions), same, { ...ask, limit: 1_000 }).rows;
      const [shown, expectedPrefixes] = split(rows);
      const expected = view.versions
        .filter(({ key }) => shown.includes(String(key)))
        .map(({ key, versionId, isLatest }) => [key, versionId, isLatest]);
      assert.deepEqual([ids, prefixes], [expected, [...new Set(expectedPrefixes)]]);
    }),
    SOME,
  );
});

test("the pages of a list of uploads are all uploads, by key and age, and nothing comes twice", async () => {
  const begun = fc.array(nastyKey, { maxLength: 15, size: "max" }).map((keys) => keys.map(begin));
  await fc.assert(
    fc.asyncProperty(begun, listAsk, async (calls, ask) => {
      const { engine, bucket, view } = await filledBucket(calls);
      const { prefix, delimiter, after } = ask;
      const [ids, prefixes]: [unknown[], string[]] = [[], []];
      let from: { readonly key: string; readonly uploadId?: string | undefined } | undefined;
      for (from = { key: after }; from !== undefined; ) {
        const at = { afterKey: from.key, afterUploadId: from.uploadId, limit: ask.limit || 1 };
        const page = await engine.listUploads(bucket, { prefix, delimiter, ...at });
        ids.push(...page.uploads.map(({ uploadId }) => uploadId));
        prefixes.push(...page.prefixes);
        from = page.next;
      }

      const rows = listingOf(keysOf(view.uploads), same, { ...ask, limit: 1_000 }).rows;
      const [shown, expectedPrefixes] = split(rows);
      const expected = view.uploads.filter(({ key }) => shown.includes(String(key)));
      const expectedIds = expected.map(({ uploadId }) => uploadId);
      assert.deepEqual([ids, prefixes], [expectedIds, expectedPrefixes]);
    }),
    SOME,
  );
});

test("a client that deletes what each page of versions showed meets every version", async () => {
  await fc.assert(
    fc.asyncProperty(filled, fc.integer({ min: 1, max: 5 }), async (calls, limit) => {
      const { engine, bucket, view } = await filledBucket(calls);
      const met: unknown[] = [];
      let from: { readonly key: string; readonly versionId?: string | undefined } | undefined;
      for (from = { key: "" }; from !== undefined; ) {
        const at = { afterKey: from.key, afterVersionId: from.versionId, limit };
        const page = await engine.listVersions(bucket, { prefix: "", delimiter: "", ...at });
        for (const { key, versionId, isLatest } of page.versions) {
          met.push([key, versionId]);
          const name = { bucket, key: objectKey(key), versionId };
          // Of a key that goes on from the page before, the newer ones are gone.
          assert.ok(isLatest || key !== from.key || versionId !== page.versions[0]?.versionId);
          await engine.delete(name, {});
        }
        from = page.next;
      }

      assert.deepEqual(
        met,
        view.versions.map(({ key, versionId }) => [key, versionId]),
      );
      await engine.requireEmpty(bucket);
    }),
    SOME,
  );
});

const same = (key: string) => key;

async function filledBucket(calls: readonly Call[]) {
  const history = new History({ stores: memoryStores() });
  await history.begin();
  for (const call of calls) await history.call(call);
  const { engine, catalog } = history;
  const view = history.model.view(BUCKET) ?? { objects: [], versions: [], uploads: [] };
  return { engine, bucket: await catalog.bucket(bucketName(BUCKET)), view };
}

/** Each once, in no order. */
function keysOf(shown: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(shown.map(({ key }) => String(key)))].reverse();
}

function split(rows: readonly Row<string>[]): readonly [string[], string[]] {
  return [
    rows.flatMap((each) => ("prefix" in each ? [] : [each.item])),
    rows.flatMap((each) => ("prefix" in each ? [each.prefix] : [])),
  ];
}
