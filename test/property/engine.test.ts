import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plainHistory, type VersionedStep, versionedHistory } from "#test/property/arbitrary.ts";
import { remainsOf, usageIn } from "#test/property/remains.ts";
import { bytesOf, History, refused } from "#test/property/run-history.ts";

const HISTORIES = {
  "a bucket without versions": plainHistory as fc.Arbitrary<VersionedStep[]>,
  "a bucket whose versioning changes": versionedHistory,
};
const RUNS = { numRuns: 150 };

for (const [where, histories] of Object.entries(HISTORIES)) {
  test(`after any history in ${where} every key and version reads as the model says`, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const history = await History.run(steps);
        await assertReads(history);
        await assertUsage(history);
      }),
      RUNS,
    );
  });

  test(`after any history in ${where} garbage collection leaves what live records refer to`, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const history = await History.run(steps);
        await history.collect();

        const remains = await remainsOf(history.stores);
        assert.deepEqual(remains.blobs, remains.referred);
        assert.deepEqual(remains.references, remains.expectedReferences);
        assert.deepEqual(remains.strays, []);
        assert.equal(remains.garbage, 0);
        await assertReads(history);
      }),
      RUNS,
    );
  });

  test(`after any history in ${where} a bucket that was emptied leaves nothing behind`, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const history = await History.run([...steps, { kind: "abortAll" }]);
        for (const [key, versions] of history.model.versions) {
          for (const { id } of versions) {
            await history.engine.delete({ ...(await history.name(key)), versionId: id }, {});
          }
        }
        await history.collect();

        await history.engine.requireEmpty(await history.bucket());
        const remains = await remainsOf(history.stores);
        assert.deepEqual([remains.blobs, remains.references, remains.strays], [[], [], []]);
        const usage = await usageIn(history.stores, (await history.bucket()).id);
        assert.deepEqual(Object.values(usage), [0, 0, 0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });
}

async function assertReads(history: History): Promise<void> {
  const { engine, model } = history;
  for (const key of ["a", "a/", "a/b", "\u{10000}", "\uFFFD", "a\u0000b"]) {
    const found = await history.name(key);
    const current = model.current(key);
    if (current === undefined) await refused(engine.get(found), "NoSuchKey");
    else assert.deepEqual(await bytesOf(await engine.get(found)), current);
    for (const { id, bytes } of model.of(key)) {
      const version = engine.get({ ...found, versionId: id });
      if (bytes === undefined) await refused(version, "MethodNotAllowed");
      else assert.deepEqual(await bytesOf(await version), bytes);
    }
    const ask = { prefix: key, delimiter: "", limit: 1_000, afterVersionId: undefined };
    const { versions } = await engine.listVersions(found.bucket, { ...ask, afterKey: "" });
    const own = versions.filter((version) => version.key === key);
    assert.deepEqual(
      own.map(({ versionId }) => versionId),
      model.of(key).map(({ id }) => id),
    );
  }
}

async function assertUsage(history: History): Promise<void> {
  const versions = [...history.model.versions.values()].flat();
  const live = versions.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes.length]));
  const uploads = [...history.uploads.values()];
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  assert.deepEqual(await usageIn(history.stores, (await history.bucket()).id), {
    versions: live.length,
    bytes: sum(live),
    deleteMarkers: versions.length - live.length,
    uploads: uploads.length,
    partBytes: sum(uploads.map(({ partBytes }) => partBytes)),
  });
}
