/** The proof that the model can fail: engines that break one rule each, and are found out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Engine, ObjectName } from "#object/engine.ts";
import { History } from "#test/model/history.ts";
import { overriding } from "#test/model/overriding.ts";
import { history, type Step } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { headOrNone } from "#test/support/head-or-none.ts";

const HISTORIES = 500;
const SEED = 1;

const MUTANTS: Readonly<Record<string, (engine: Engine) => Partial<Engine>>> = {
  "forgets conditions of writes": (engine) => ({
    put: (name, input) => engine.put(name, { ...input, conditions: {} }),
  }),
  "keeps versions in a bucket that has suspended them": (engine) => ({
    put: (name, input) => engine.put({ ...name, bucket: kept(name.bucket) }, input),
  }),
  "reads the newest version whatever is asked for": (engine) => ({
    get: ({ bucket, key }) => engine.get({ bucket, key }),
  }),
  "reads through delete markers": (engine) => ({ get: (name) => readThrough(engine, name) }),
  "removes a version where it should lay a delete marker": (engine) => ({
    delete: async (name, conditions) => {
      const current = await headOrNone(engine, name);
      const versionId = name.versionId ?? current?.versionId;
      if (versionId === undefined) return await engine.delete(name, conditions);
      return await engine.delete({ ...name, versionId }, conditions);
    },
  }),
  "copies the newest version, not the one that is named": (engine) => ({
    copy: (name, input) => {
      const { bucket, key } = input.source;
      return engine.copy(name, { ...input, source: { bucket, key } });
    },
  }),
  "leaves the source of a rename": (engine) => ({
    rename: async (name, input) => {
      const { bucket } = name;
      const none = { metadata: undefined, tags: undefined, storageClass: undefined };
      const { sourceConditions } = input;
      const source = { bucket, key: input.source };
      const copy = { source, sourceConditions, conditions: {}, attributes: none };
      const { object } = await engine.copy(name, { ...copy, algorithm: undefined });
      return { etag: object.etag };
    },
  }),
  "renames again when a token comes again": (engine) => ({
    rename: (name, input) => engine.rename(name, { ...input, token: undefined }),
  }),
  "loses the second tag": (engine) => ({
    setTags: (name, tags) => engine.setTags(name, tags.slice(0, 1)),
  }),
  "leaves the last key off a list": (engine) => ({
    list: async (bucket, ask) => {
      const page = await engine.list(bucket, ask);
      return { ...page, objects: page.objects.slice(0, 2) };
    },
  }),
  "takes parts in any order": (engine) => ({
    completeUpload: (name, input) => {
      const parts = [...input.parts].sort((a, b) => a.number - b.number);
      return engine.completeUpload(name, { ...input, parts: parts.filter(isFirst) });
    },
  }),
  "completes without the last part": (engine) => ({
    completeUpload: (name, input) => {
      const parts = input.parts.length > 1 ? input.parts.slice(0, -1) : input.parts;
      return engine.completeUpload(name, { ...input, parts });
    },
  }),
  "keeps an upload that was aborted": (engine) => ({
    abortUpload: async (name) => {
      await engine.listParts(name, { afterNumber: 0, limit: 1 });
    },
  }),
};

for (const [rule, mutant] of Object.entries(MUTANTS)) {
  test(`an engine that ${rule} is found out`, async () => {
    const { failed } = await check(mutant, { endOnFailure: true });

    assert.ok(failed, "no history told the difference");
  });
}

test("a failure comes with its seed, and with so few steps that it can be understood", async () => {
  const mutant = MUTANTS["leaves the source of a rename"];
  assert.ok(mutant !== undefined);

  const { counterexample, ...told } = await check(mutant, {});

  assert.ok(told.failed && told.counterexamplePath !== null);
  assert.equal(told.seed, SEED);
  assert.ok((counterexample?.[0].length ?? 0) <= 5, `${counterexample?.[0].length} steps`);
});

async function check(mutant: (engine: Engine) => Partial<Engine>, given: fc.Parameters<[Step[]]>) {
  const change = (engine: Engine) => overriding(engine, mutant(engine));
  return await fc.check(
    fc.asyncProperty(history, async (steps) => {
      await History.run(steps, { stores: memoryStores(), change });
    }),
    { numRuns: HISTORIES, seed: SEED, ...given },
  );
}

function kept<T extends { readonly versioning: unknown }>(bucket: T): T {
  return bucket.versioning === "Suspended" ? { ...bucket, versioning: "Enabled" } : bucket;
}

async function readThrough(engine: Engine, name: ObjectName) {
  try {
    return await engine.get(name);
  } catch (cause) {
    const ask = { prefix: name.key, delimiter: "", afterKey: "", afterVersionId: undefined };
    const { versions } = await engine.listVersions(name.bucket, { ...ask, limit: 1_000 });
    const older = versions.find(({ key, deleteMarker }) => key === name.key && !deleteMarker);
    if (older === undefined || name.versionId !== undefined) throw cause;
    return await engine.get({ ...name, versionId: older.versionId });
  }
}

function isFirst({ number }: { number: number }, at: number, all: readonly { number: number }[]) {
  return all[at - 1]?.number !== number;
}
