import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ListAsk, ListedVersion } from "#object/engine.ts";
import {
  listAsk,
  nastyKey,
  type VersionedStep,
  versionedHistory,
} from "#test/property/arbitrary.ts";
import { naiveList, type Shown } from "#test/property/naive.ts";
import { History } from "#test/property/run-history.ts";

const same = (key: string) => key;

/** A bucket with an empty object under each key, some of them deleted again where versions are kept. */
const filled = fc
  .tuple(
    fc.uniqueArray(nastyKey, { maxLength: 18, size: "max" }),
    fc.uniqueArray(nastyKey, { maxLength: 5 }),
  )
  .map(([keys, deleted]): VersionedStep[] => [
    { kind: "versioning", to: "Enabled" },
    ...keys.map((key) => ({ kind: "put", key, bytes: Buffer.alloc(0) }) as const),
    ...deleted.map((key) => ({ kind: "delete", key }) as const),
  ]);

test("a list of any bucket by any prefix, delimiter, start and limit is the naive one", async () => {
  await fc.assert(
    fc.asyncProperty(filled, listAsk, async (steps, ask) => {
      const history = await History.run(steps);

      const page = await history.engine.list(await history.bucket(), ask);

      const naive = naiveList(history.model.keys(), same, ask);
      assert.deepEqual([page.objects.map(({ key }) => key), page.prefixes], split(naive.shown));
      assert.equal(page.next, ask.limit === 0 ? undefined : naive.next);
    }),
    { numRuns: 500 },
  );
});

test("the pages of a list, one after the other, are the whole list, and nothing comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(filled, listAsk, async (steps, given) => {
      const history = await History.run(steps);
      const bucket = await history.bucket();
      const ask: ListAsk = { ...given, limit: Math.max(1, given.limit) };
      const [keys, prefixes]: [string[], string[]] = [[], []];
      for (let after: string | undefined = ask.after; after !== undefined; ) {
        const page = await history.engine.list(bucket, { ...ask, after });
        keys.push(...page.objects.map(({ key }) => key));
        prefixes.push(...page.prefixes);
        assert.ok(page.objects.length + page.prefixes.length <= ask.limit);
        assert.ok(keys.length + prefixes.length < 100, "it comes to an end");
        after = page.next;
      }

      const whole = naiveList(history.model.keys(), same, { ...ask, limit: 1_000 });
      assert.deepEqual([keys, prefixes], split(whole.shown));
    }),
    { numRuns: 300 },
  );
});

test("the pages of a list of versions are all versions, by key and age, and nothing comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(versionedHistory, listAsk, async (steps, ask) => {
      const history = await History.run(steps);
      const [versions, prefixes] = await versionsOf(history, { ...ask, limit: ask.limit || 1 });

      const { model } = history;
      const shown = naiveList([...model.versions.keys()], same, { ...ask, limit: 1_000 });
      const [keys, expectedPrefixes] = split(shown.shown);
      const expected = keys.flatMap((key) =>
        model.of(key).map(({ id, bytes }, at) => ({
          ...{ key, id, isLatest: at === 0 },
          size: bytes?.length ?? "marker",
        })),
      );
      assert.deepEqual(prefixes, expectedPrefixes);
      assert.deepEqual(
        versions.map(({ key, versionId, isLatest, deleteMarker, sizeBytes }) => ({
          ...{ key, id: versionId, isLatest },
          size: deleteMarker ? "marker" : sizeBytes,
        })),
        expected,
      );
    }),
    { numRuns: 200 },
  );
});

test("the pages of a list of uploads are all uploads, by key and age, and nothing comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nastyKey, { maxLength: 15, size: "max" }),
      listAsk,
      async (keys, ask) => {
        const parts = [{ number: 1, bytes: Buffer.alloc(5), from: undefined }];
        const upload = { kind: "upload", parts, completed: [1], end: "leave" } as const;
        const steps = keys.map((key): VersionedStep => ({ ...upload, key, completed: [1] }));
        const history = await History.run(steps);
        const [ids, prefixes] = await uploadsOf(history, { ...ask, limit: ask.limit || 1 });

        const started = [...history.uploads].map(([id, { key }], at) => ({ id, key, at }));
        // The sort is stable, and ids begin with the time.
        const naive = naiveList(started, ({ key }) => key, { ...ask, limit: 1_000 });
        assert.deepEqual(
          [ids, prefixes],
          [
            naive.shown.flatMap((each) => ("prefix" in each ? [] : [each.item.id])),
            naive.shown.flatMap((each) => ("prefix" in each ? [each.prefix] : [])),
          ],
        );
      },
    ),
    { numRuns: 200 },
  );
});

async function versionsOf(
  history: History,
  ask: ListAsk,
): Promise<readonly [readonly ListedVersion[], readonly string[]]> {
  const [versions, prefixes]: [ListedVersion[], string[]] = [[], []];
  let marker: { key: string; versionId: string | undefined } | undefined = {
    key: ask.after,
    versionId: undefined,
  };
  while (marker !== undefined) {
    const { prefix, delimiter, limit } = ask;
    const page = await history.engine.listVersions(await history.bucket(), {
      ...{ prefix, delimiter, limit, afterKey: marker.key, afterVersionId: marker.versionId },
    });
    versions.push(...page.versions);
    prefixes.push(...page.prefixes);
    marker = page.next;
  }
  return [versions, prefixes];
}

async function uploadsOf(
  history: History,
  ask: ListAsk,
): Promise<readonly [readonly string[], readonly string[]]> {
  const [ids, prefixes]: [string[], string[]] = [[], []];
  let marker: { key: string; uploadId: string | undefined } | undefined = {
    key: ask.after,
    uploadId: undefined,
  };
  while (marker !== undefined) {
    const { prefix, delimiter, limit } = ask;
    const page = await history.engine.listUploads(await history.bucket(), {
      ...{ prefix, delimiter, limit, afterKey: marker.key, afterUploadId: marker.uploadId },
    });
    ids.push(...page.uploads.map(({ uploadId }) => uploadId));
    prefixes.push(...page.prefixes);
    marker = page.next;
  }
  return [ids, prefixes];
}

function split(shown: readonly Shown<string>[]): readonly [string[], string[]] {
  return [
    shown.flatMap((each) => ("prefix" in each ? [] : [each.item])),
    shown.flatMap((each) => ("prefix" in each ? [each.prefix] : [])),
  ];
}
