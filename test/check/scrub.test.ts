/** What a scrub reads, finds and names, and that it goes on where it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StorageError } from "#base/error.ts";
import type { ByteRange } from "#blob/store.ts";
import {
  type Damage,
  SCRUB_START,
  type ScrubOptions,
  type ScrubPlace,
  scrub,
} from "#check/scrub.ts";
import type { Entry, KeyRange, MetaStore, MetaView } from "#meta/store.ts";
import { over, refuses } from "#test/check/failing-blobs.ts";
import { type Filled, filled } from "#test/check/filled.ts";
import { History } from "#test/model/history.ts";
import { history } from "#test/model/step.ts";
import { memoryStores } from "#test/model/stores.ts";
import { runs } from "#test/support/runs.ts";
import { manifestKey, partKey, referenceKey } from "#versioned/keys.ts";
import { packVersion, unpackVersion } from "#versioned/record.ts";

interface Case {
  readonly title: string;
  readonly damage: (store: Filled) => Promise<unknown>;
  readonly found: (store: Filled) => Promise<readonly Omit<Damage, "bucketId">[]>;
}

const flipped = (bytes: Uint8Array): Buffer => {
  const other = Buffer.from(bytes);
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  return other;
};

const versionOf = (key: string) => ({ key, versionId: "null" });

const CASES: readonly Case[] = [
  {
    title: "a bit that has flipped in a blob",
    damage: async ({ blobs, blobOf }) => await blobs.damage(await blobOf("plain"), flipped),
    found: async ({ blobOf }) => [
      { kind: "blob-damaged", ...versionOf("plain"), blob: await blobOf("plain") },
    ],
  },
  {
    title: "a blob that is cut short",
    damage: async ({ blobs, blobOf }) =>
      await blobs.damage(await blobOf("plain"), (its) => its.subarray(1)),
    found: async ({ blobOf }) => [
      { kind: "blob-size", ...versionOf("plain"), blob: await blobOf("plain") },
    ],
  },
  {
    title: "a blob that is lost",
    damage: async ({ blobs, blobOf }) => await blobs.remove(await blobOf("plain")),
    found: async ({ blobOf }) => [
      { kind: "blob-missing", ...versionOf("plain"), blob: await blobOf("plain") },
    ],
  },
  {
    title: "a bit that has flipped in a blob of an upload that goes on",
    damage: async ({ blobs, blobOf }) => await blobs.damage(await blobOf("open"), flipped),
    found: async ({ blobOf, uploadId }) => [
      { kind: "blob-damaged", key: "open", uploadId, blob: await blobOf("open") },
    ],
  },
  {
    title: "a bit that has flipped in inline bytes",
    damage: async ({ write, one }) => {
      const { key, value } = await one("v", "small");
      await write(key, flipped(value));
    },
    // Whether it is the null version stands in the record.
    found: async ({ one }) => [
      {
        kind: "unreadable-record",
        key: "small",
        versionId: await stampOf(await one("v", "small")),
      },
    ],
  },
  {
    title: "inline bytes that are others, in a record without a sum of its own",
    damage: async ({ write, one }) => {
      const { key, value } = await one("v", "small");
      const { record, inline } = unpackVersion(value);
      const { value: start, tail } = packVersion(record, Buffer.alloc(inline.length));
      await write(key, Buffer.concat([start, tail]));
    },
    found: async () => [{ kind: "inline-damaged", ...versionOf("small") }],
  },
  {
    title: "a list of parts that is lost",
    damage: async ({ meta, contentOf }) =>
      await meta.commit({
        guards: [],
        writes: [{ key: manifestKey(await contentOf("parts")), value: undefined }],
      }),
    found: async () => [{ kind: "manifest-missing", ...versionOf("parts") }],
  },
  {
    title: "a head that cannot be read",
    damage: async ({ write, one }) => {
      const { key, value } = await one("o", "plain");
      await write(key, flipped(value));
    },
    found: async () => [{ kind: "unreadable-record", key: "plain" }],
  },
];

for (const { title, damage, found } of CASES) {
  test(`${title} is found, once and by its name`, async () => {
    const store = await filled();
    assert.deepEqual(await scrubbed(store), [], "whole to begin with");
    await damage(store);

    const expected = (await found(store)).map((each) => ({ bucketId: store.bucketId, ...each }));
    assert.deepEqual(await scrubbed(store), expected);
  });
}

test("a blob of an earlier version, without sums of its blocks, is held against the sum of the whole", async () => {
  const store = await filled();
  const blobs = over(store.blobs, { readChecked: (id, range) => store.blobs.read(id, range) });
  assert.deepEqual(await scrubbed({ ...store, blobs }), []);
  await store.blobs.damage(await store.blobOf("plain"), flipped);

  const found = await scrubbed({ ...store, blobs });

  assert.deepEqual(
    found.map(({ kind, key }) => [kind, key]),
    [["blob-damaged", "plain"]],
  );
});

test("of a slice its own bytes are read, and of one whose whole was read nothing again", async () => {
  const store = await filled();
  const { key, value } = await store.one("v", "plain");
  const { record, inline } = unpackVersion(value);
  assert.ok(record.content.kind === "extents" && record.content.extents[0]);
  const { crc32: _, ...extent } = record.content.extents[0];
  const slice = { ...extent, offset: 10, sizeBytes: 20 };
  const content = { ...record.content, extents: [slice] };
  const { value: start, tail } = packVersion({ ...record, sizeBytes: 20, content }, inline);
  const ranges: ByteRange[] = [];
  const blobs = over(store.blobs, {
    readChecked: (id, range) => {
      if (id === extent.blob) ranges.push(range);
      return store.blobs.readChecked(id, range);
    },
  });
  const sliced = Buffer.from(key);
  sliced[sliced.length - 1] = (sliced.at(-1) ?? 0) + 1;
  await store.write(sliced, Buffer.concat([start, tail]));
  await store.write(referenceKey(extent.blob, "ab".repeat(16)), Buffer.alloc(0));

  await scrubbed({ ...store, blobs });
  await store.drop({ key, value, revision: 0 });
  await scrubbed({ ...store, blobs });

  assert.deepEqual(ranges, [
    { from: 0, to: 50 },
    { from: 10, to: 30 },
  ]);
});

test("a blob that the disk does not give is found, and what comes behind it is read", async () => {
  const store = await filled();
  const blob = await store.blobOf("open");
  const failing = over(store.blobs, {
    readChecked: (id, range) => (id === blob ? refuses("EIO") : store.blobs.readChecked(id, range)),
  });
  await store.blobs.damage(await store.blobOf("plain"), flipped);

  const found = await scrubbed({ ...store, blobs: failing });

  assert.deepEqual(
    found.map(({ kind, key }) => [kind, key]),
    [
      ["blob-unreadable", "open"],
      ["blob-damaged", "plain"],
    ],
  );
});

test("what the process is short of is no damage", async () => {
  const store = await filled();
  const blobs = over(store.blobs, { readChecked: () => refuses("EMFILE") });

  const { found, failure } = await scrubOf({ ...store, blobs }, {});

  assert.deepEqual(found, []);
  assert.ok(failure instanceof StorageError);
});

test("an object that is deleted while its blob is read is no damage", async () => {
  const store = await filled();
  const blob = await store.blobOf("plain");
  const version = await store.one("v", "plain");
  const blobs = over(store.blobs, {
    readChecked: (id, range) =>
      ending(store.blobs.readChecked(id, range), async () => {
        if (id === blob) await store.drop(version);
      }),
  });
  await store.blobs.damage(blob, flipped);

  assert.deepEqual(await scrubbed({ ...store, blobs }), []);
});

test("an object that is deleted before its blob is looked for is no damage", async () => {
  const store = await filled();
  const blob = await store.blobOf("plain");
  const version = await store.one("v", "plain");
  const blobs = over(store.blobs, {
    size: async (id) => {
      if (id !== blob) return await store.blobs.size(id);
      await store.drop(version);
      return undefined;
    },
  });

  assert.deepEqual(await scrubbed({ ...store, blobs }), []);
});

test("parts of an upload that is aborted while they are read are no damage", async () => {
  const store = await filled();
  const upload = await store.one("u", "open");
  const blob = await store.blobOf("open");
  const blobs = over(store.blobs, {
    size: async (id) => {
      if (id !== blob) return await store.blobs.size(id);
      await store.drop(upload);
      return undefined;
    },
  });

  assert.deepEqual(await scrubbed({ ...store, blobs }), []);
});

test("a record that is mended while it is looked at is no damage", async () => {
  const store = await filled();
  const { key, value } = await store.one("v", "small");
  await store.write(key, flipped(value));
  // Between the page that it stood in and the second look.
  const meta = new MendingMeta(store.meta, async (asked) => {
    if (Buffer.from(key).equals(asked)) await store.write(key, value);
  });

  assert.deepEqual(await scrubbed({ ...store, meta }), []);
});

test("a record that is deleted, or a head that is written again, while it is looked at is no damage", async () => {
  const store = await filled();
  const [version, head] = [await store.one("v", "small"), await store.one("o", "plain")];
  await store.write(version.key, flipped(version.value));
  await store.write(head.key, flipped(head.value));
  const meta = new MendingMeta(store.meta, async (asked) => {
    if (Buffer.from(version.key).equals(asked)) await store.drop(version);
    if (Buffer.from(head.key).equals(asked)) await store.write(head.key, head.value);
  });

  assert.deepEqual(await scrubbed({ ...store, meta }), []);
});

test("a scrub that is cut off among the parts of an upload goes on behind those that were read", async () => {
  const store = await filled();
  const blob = await store.blobOf("open");
  const part = await store.meta.get(partKey(store.uploadId, 1));
  assert.ok(part);
  for (const number of [2, 3]) await store.write(partKey(store.uploadId, number), part.value);
  await store.blobs.damage(blob, flipped);
  const whole = await scrubbed(store);
  assert.equal(whole.length, 3);

  for (let afterLooks = 1; ; afterLooks += 1) {
    const first = await scrubOf(store, { endsAfter: afterLooks });
    if (first.isWhole) break;
    const rest = await scrubOf(store, {}, first.place);
    assert.deepEqual([...first.found, ...rest.found], whole, `cut after ${afterLooks} looks`);
  }
});

test("after any history a scrub finds nothing, reads every version, and changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const stores = memoryStores();
      const run = await History.run(steps, { stores });

      assert.deepEqual(await scrubbed(stores), []);

      await run.requireViews();
    }),
    runs({ short: 40, long: 10_000 }),
  );
});

test("a scrub that is cut off anywhere goes on there: nothing is left out, and no damage is told twice", async () => {
  const store = await filled();
  await store.blobs.damage(await store.blobOf("plain"), flipped);
  await store.blobs.damage(await store.blobOf("open"), flipped);
  const { key, value } = await store.one("v", "small");
  await store.write(key, flipped(value));
  const whole = await scrubbed(store);
  assert.equal(whole.length, 3);

  for (let afterLooks = 1; ; afterLooks += 1) {
    const first = await scrubOf(store, { endsAfter: afterLooks });
    if (first.isWhole) break;
    const rest = await scrubOf(store, {}, first.place);
    assert.deepEqual([...first.found, ...rest.found], whole, `cut after ${afterLooks} looks`);
  }
  // As few looks at a time as one blob takes.
  const found: Damage[] = [];
  let place = SCRUB_START;
  for (let rounds = 0; ; rounds += 1) {
    assert.ok(rounds < 1_000, "it gets on");
    const next = await scrubOf(store, { endsAfter: 5 }, place);
    found.push(...next.found);
    place = next.place;
    if (next.isWhole) break;
  }
  assert.deepEqual(found, whole);
});

test("every version, upload, part and head is counted, and all bytes of their blobs", async () => {
  const store = await filled();
  // More than are read at a time.
  const { key: small, value: body } = await store.one("v", "small");
  for (let number = 0; number < 50; number += 1) {
    const key = Buffer.from(small);
    key[key.length - 1] = number;
    if (!key.equals(small)) await store.write(key, body);
  }
  const records = { records: 0, blobs: 0, bytes: 0 };
  for (const letter of ["o", "u", "v", "p"] as const) {
    for (const { key, value } of await store.all(letter)) {
      const isMerged =
        letter === "p" && !Buffer.from(key).includes(Buffer.from(store.uploadId, "hex"));
      if (isMerged) continue;
      records.records += 1;
      records.bytes += key.length + value.length;
    }
  }
  for await (const { sizeBytes } of store.blobs.list()) {
    records.blobs += 1;
    records.bytes += sizeBytes;
  }

  const { scrubbed: counted } = await scrubOf(store, {});

  assert.deepEqual(counted, records);
});

interface Asked {
  /** As many times it is asked whether it goes on. */
  readonly endsAfter?: number;
}

type Scrubbable = Pick<ScrubOptions, "meta" | "blobs">;

async function scrubOf(
  stores: Scrubbable,
  { endsAfter = Number.POSITIVE_INFINITY }: Asked,
  from: ScrubPlace = SCRUB_START,
) {
  const found: Damage[] = [];
  let looks = 0;
  const options: ScrubOptions = {
    ...{ meta: stores.meta, blobs: stores.blobs },
    spend: async () => undefined,
    goesOn: async () => {
      looks += 1;
      return looks < endsAfter;
    },
    found: async (damage) => void found.push(damage),
  };
  return { found, ...(await scrub(options, from)) };
}

/** What a whole scrub finds. */
async function scrubbed(stores: Scrubbable): Promise<readonly Damage[]> {
  const { found, isWhole } = await scrubOf(stores, {});
  assert.ok(isWhole);
  return found.map(({ kind, bucketId, ...name }) => ({ kind, bucketId, ...name }));
}

async function* ending(
  chunks: AsyncIterable<Uint8Array>,
  end: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    await end();
  }
}

/** Something is done before each record is looked at again. */
class MendingMeta implements MetaView {
  readonly #inner: MetaStore;
  readonly #before: (key: Uint8Array) => Promise<void>;

  constructor(inner: MetaStore, before: (key: Uint8Array) => Promise<void>) {
    this.#inner = inner;
    this.#before = before;
  }

  async get(key: Uint8Array): Promise<Entry | undefined> {
    await this.#before(key);
    return await this.#inner.get(key);
  }

  async scan(range: KeyRange): Promise<Entry[]> {
    return await this.#inner.scan(range);
  }
}

async function stampOf({ value, key }: Entry): Promise<string> {
  assert.ok(value.length > 0);
  const stamp = Buffer.from(key).readBigUInt64BE(key.length - 8);
  return (2n ** 53n - 1n - stamp).toString(16).padStart(16, "0");
}
