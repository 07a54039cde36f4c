import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import { unpackCounter } from "#meta/counter.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { PackedBytes, PackedEntries } from "#meta/packed.ts";
import { SELDOM_KEY } from "#meta/seldom.ts";
import type { Change, Entry, MetaStore, Snapshot } from "#meta/store.ts";

const EVERYTHING = { from: bytes("\u0001"), to: bytes("\u{10FFFF}"), limit: 1_000 };

/** The laws in meta/store.ts, proved for any implementation. */
export function metaStoreContract(adapter: string, open: () => Promise<MetaStore>): void {
  test(`${adapter}: orders keys by bytes, not by UTF-16 units`, async () => {
    await using store = await open();
    // U+FFFD sorts before U+10000 in UTF-8, and after its surrogates in a JavaScript string.
    for (const key of ["\u{10000}", "\uFFFD"]) await store.commit(write(key, "x"));

    const entries = await store.scan(EVERYTHING);

    assert.deepEqual(
      entries.map((entry) => text(entry.key)),
      ["\uFFFD", "\u{10000}"],
    );
  });

  test(`${adapter}: a scan includes its lower end, excludes its upper end, forward and reverse`, async () => {
    await using store = await open();
    for (const key of ["a", "b", "c", "d"]) await store.commit(write(key, key));
    const range = { from: bytes("b"), to: bytes("d"), limit: 9 };

    const forward = await store.scan(range);
    const reverse = await store.scan({ ...range, reverse: true });
    const limited = await store.scan({ ...EVERYTHING, limit: 1, reverse: true });
    const none = await store.scan({ from: bytes("d"), to: bytes("b"), limit: 9 });

    assert.deepEqual(forward.map(pair), [
      ["b", "b"],
      ["c", "c"],
    ]);
    assert.deepEqual(reverse.map(pair), [
      ["c", "c"],
      ["b", "b"],
    ]);
    assert.deepEqual(limited.map(pair), [["d", "d"]]);
    assert.deepEqual(none, []);
  });

  test(`${adapter}: a stale guard changes nothing`, async () => {
    await using store = await open();
    await store.commit(write("a", "first"));

    const applied = await store.commit(write("a", "second", [{ key: bytes("a"), revision: 0 }]));

    assert.equal(applied, undefined);
    assert.equal(text((await store.get(bytes("a")))?.value), "first");
  });

  test(`${adapter}: one of two commits with the same guard wins`, async () => {
    await using store = await open();
    const guards = [{ key: bytes("a"), revision: 0 }];

    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, index) => store.commit(write("a", `${index}`, guards))),
    );

    assert.equal(outcomes.filter((sequence) => sequence !== undefined).length, 1);
  });

  test(`${adapter}: a change that fails halfway leaves nothing of itself, and takes no sequence twice`, async () => {
    await using store = await open();
    const first = await store.commit(write("a", "first"));
    const [good, bad] = [write("b", "1").writes, write("c", "1").writes];
    const outside = bad.map((one) => ({ ...one, stampKeyAt: 100 }));

    const failing = store.commit({ guards: [], writes: [...good, ...outside] });
    await assert.rejects(failing);

    assert.deepEqual((await store.scan(EVERYTHING)).map(pair), [["a", "first"]]);
    const next = await store.commit(write("d", "next"));
    assert.ok(first !== undefined && next !== undefined && first < next);
    assert.equal((await store.get(bytes("d")))?.revision, next);
  });

  test(`${adapter}: a revision is the commit's sequence and never comes back`, async () => {
    await using store = await open();
    const first = await store.commit(write("a", "1"));
    await store.commit(write("a", undefined));
    const second = await store.commit(write("a", "1"));

    const entry = await store.get(bytes("a"));

    assert.ok(first !== undefined && second !== undefined && first < second);
    assert.equal(entry?.revision, second);
  });

  test(`${adapter}: stamps in keys and values carry the commit's sequence`, async () => {
    await using store = await open();
    const key = Buffer.concat([bytes("v/"), Buffer.alloc(STAMP_BYTES)]);
    const value = Buffer.alloc(STAMP_BYTES + 1, 7);
    const stampedWrite = () => ({ key: Buffer.from(key), value, stampKeyAt: 2, stampValueAt: 1 });

    const first = await store.commit({ guards: [], writes: [stampedWrite()] });
    const second = await store.commit({ guards: [], writes: [stampedWrite()] });

    const entries = await store.scan(EVERYTHING);
    const stamps = entries.map((entry) => readStamp(Buffer.from(entry.key), 2));
    assert.deepEqual(stamps, [second, first], "the newest sorts first");
    assert.equal(readStamp(Buffer.from(entries[0]?.value ?? []), 1), second);
    assert.equal(entries[0]?.value[0], 7);
  });

  test(`${adapter}: a value and its tail are one value, however long, and stay the caller's`, async () => {
    await using store = await open();
    const writes = [0, 1, 9_000, 127_000, 131_072, 300_000].map((length) => ({
      key: bytes(`k${length}`),
      value: Buffer.alloc(STAMP_BYTES, 1),
      tail: Buffer.alloc(length, length % 251),
      stampValueAt: 0,
    }));

    const sequence = await store.commit({ guards: [], writes });
    const given = writes.map(({ tail }) => Buffer.from(tail));
    for (const { tail } of writes) tail.fill(0);

    for (const [index, { key }] of writes.entries()) {
      const stored = Buffer.from((await store.get(key))?.value ?? []);
      assert.equal(readStamp(stored, 0), sequence);
      assert.deepEqual(stored.subarray(STAMP_BYTES), given[index]);
    }
    assert.ok(writes.every(({ value }) => value.every((byte) => byte === 1)));
  });

  test(`${adapter}: a guard holds or is stale however long the value is, also one of the same moment`, async () => {
    await using store = await open();
    const lengths = [0, 1, 4_096, 300_000];
    for (const length of lengths) {
      const name = `k${length}`;
      const first = await store.commit(write(name, "a".repeat(length)));
      assert.ok(first !== undefined);
      const guards = [{ key: bytes(name), revision: first }];

      const [second, stale] = await Promise.all([
        store.commit(write(name, "b".repeat(length), guards)),
        store.commit(write(name, "c".repeat(length), guards)),
      ]);

      assert.ok(second !== undefined && stale === undefined);
      const entry = await store.get(bytes(name));
      assert.equal(entry?.revision, second);
      assert.deepEqual(Buffer.from(entry.value), Buffer.alloc(length, "b"));
    }
    const entries = await store.scan(EVERYTHING);
    assert.deepEqual(
      entries.map(({ value }) => value.length).sort((a, b) => a - b),
      lengths,
    );
  });

  test(`${adapter}: adds sum up whatever runs beside them`, async () => {
    await using store = await open();
    const add = { guards: [], writes: [], adds: [{ key: bytes("n"), amounts: [1, -10] }] };

    await Promise.all(Array.from({ length: 100 }, () => store.commit(add)));

    const entry = await store.get(bytes("n"));
    assert.deepEqual(unpackCounter(entry?.value ?? new Uint8Array()), [100, -1_000]);
  });

  test(`${adapter}: an add over its bound leaves the whole change undone`, async () => {
    await using store = await open();
    const add = { key: bytes("n"), amounts: [3, 1, 4], bounds: [{ indexes: [0, 2], max: 16 }] };
    const change = (name: string) => ({ ...write(name, "x"), adds: [{ ...add }] });

    const first = [await store.commit(change("a")), await store.commit(change("b"))];
    const third = await store.commit(change("c"));
    const other = await store.commit({
      ...write("d", "x"),
      adds: [{ ...add, amounts: [0, 100, 2] }],
    });

    assert.ok(first.every((sequence) => sequence !== undefined));
    assert.equal(third, undefined);
    assert.equal(await store.get(bytes("c")), undefined);
    assert.ok(other !== undefined, "what the bound does not speak of is free, and 16 are 16");
    const entry = await store.get(bytes("n"));
    assert.deepEqual(unpackCounter(entry?.value ?? new Uint8Array()), [6, 102, 10]);
  });

  test(`${adapter}: a bound holds whatever runs beside it`, async () => {
    await using store = await open();
    const bounds = [{ indexes: [0], max: 17 }];

    const outcomes = await Promise.all(
      Array.from({ length: 100 }, () =>
        store.commit({ guards: [], writes: [], adds: [{ key: bytes("n"), amounts: [1], bounds }] }),
      ),
    );

    assert.equal(outcomes.filter((sequence) => sequence !== undefined).length, 17);
    const entry = await store.get(bytes("n"));
    assert.deepEqual(unpackCounter(entry?.value ?? new Uint8Array()), [17]);
  });

  test(`${adapter}: a snapshot shows what was there, whatever is committed meanwhile`, async () => {
    await using store = await open();
    for (const key of ["a", "b", "c"]) await store.commit(write(key, "old"));
    const before = await store.scan(EVERYTHING);
    using snapshot = store.snapshot();
    for (let round = 0; round < 20; round += 1) {
      await store.commit(write("a", `new ${round}`));
      await store.commit(write("b", undefined));
      await store.commit(write(`d${round}`, "new"));
      // Another turn of the event loop, in which reads of the store itself see what is new.
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(text((await store.get(bytes("a")))?.value), `new ${round}`);

      assert.deepEqual(await snapshot.scan(EVERYTHING), before);
      assert.deepEqual(await snapshot.get(bytes("b")), before[1]);
      assert.equal(await snapshot.get(bytes(`d${round}`)), undefined);
    }
    using later = store.snapshot();
    assert.equal(text((await later.get(bytes("a")))?.value), "new 19");
  });

  test(`${adapter}: many snapshots show each their own moment, and end in any order`, async () => {
    await using store = await open();
    const snapshots: Snapshot[] = [];
    for (let round = 0; round < 50; round += 1) {
      await store.commit(write("a", `${round}`));
      snapshots.push(store.snapshot());
    }
    for (const [round, snapshot] of snapshots.entries()) {
      if (round % 2 === 0) snapshot[Symbol.dispose]();
    }
    for (const [round, snapshot] of snapshots.entries()) {
      if (round % 2 === 0) continue;
      assert.equal(text((await snapshot.get(bytes("a")))?.value), `${round}`);
      snapshot[Symbol.dispose]();
    }
    assert.equal(text((await store.get(bytes("a")))?.value), "49");
  });

  test(`${adapter}: values from nothing to a megabyte come back as they were`, async () => {
    await using store = await open();
    for (const size of [0, 1, 4_096, 70_000, 1_048_576]) {
      const value = Buffer.alloc(size, size % 251);
      await store.commit({ guards: [], writes: [{ key: bytes("big"), value }] });
      const entry = await store.get(bytes("big"));
      assert.equal(Buffer.compare(Buffer.from(entry?.value ?? []), value), 0, `${size} bytes`);
    }
  });

  test(`${adapter}: a packed scan holds what a scan finds, whatever its sizes`, async () => {
    await using store = await open();
    const sizes = [0, 1, 56, 127, 128, 129, 5_000, 70_000];
    for (const [index, size] of sizes.entries()) {
      const key = Buffer.from(`k${index}${"é".repeat(index * 90)}`);
      const value = Buffer.alloc(size, index + 1);
      await store.commit({ guards: [], writes: [{ key, value }] });
    }
    for (const limit of [0, 1, 3, sizes.length, 100]) {
      for (const keyFrom of [0, 2]) {
        const range = { from: bytes("k1"), to: bytes("k7"), limit };
        const before = await store.scan(range);
        const { keys, values } = await store.scanPacked({ ...range, keyFrom });
        const after = await store.scan(range);

        assert.deepEqual([keys.count, values.count], [before.length, before.length]);
        for (const [index, { key, value }] of before.entries()) {
          const packed = [keys, values].map((all) =>
            Buffer.from(all.bytes.subarray(all.startOf(index), all.endOf(index))),
          );
          assert.deepEqual(packed, [Buffer.from(key.subarray(keyFrom)), Buffer.from(value)]);
        }
        assert.deepEqual(after, before, "a scan is what it was, and keeps its bytes");
      }
    }
  });

  test(`${adapter}: a packed scan leaves out what begins like an entry that was added, and goes on behind it`, async () => {
    await using store = await open();
    const groups = { a: 1, b: 2, c: 3, d: 40, "e\u{10FFFF}": 9, f: 5, g: 0 };
    for (const [group, count] of Object.entries(groups)) {
      await store.commit(write(`x${group}`, group));
      for (let index = 0; index < count; index += 1)
        await store.commit(write(`x${group}/${index}`, `${group}/${index}`));
    }
    const range = { from: bytes("x"), to: bytes("y"), keyFrom: 1 };
    const asked: string[] = [];
    const leaveOut = ({ keys, values }: PackedEntries) => {
      const [key = "", value] = [keys, values].map((all) => text(all.sliceOf(all.count - 1)));
      assert.equal(key, value);
      asked.push(key);
      // The first of a group stands for none of the others, as a delete marker.
      return key.endsWith("/0") ? 0 : Buffer.byteLength(key.slice(0, key.indexOf("/") + 1));
    };

    for (const limit of [0, 1, 2, 5, 6, 100]) {
      asked.length = 0;
      const { keys } = await store.scanPacked({ ...range, limit, leaveOut });

      const expected = Object.entries(groups).flatMap(([group, count]) => [
        group,
        ...["0", "1"].slice(0, count).map((index) => `${group}/${index}`),
      ]);
      const shown = packedTexts(keys);
      assert.deepEqual(shown, expected.slice(0, limit));
      assert.deepEqual(asked, shown.slice(0, asked.length));
      assert.ok(asked.length >= shown.length - 1, "the last may be asked about");
    }
  });

  test(`${adapter}: a packed scan reads no more of values than it is told`, async () => {
    await using store = await open();
    const sizes = [0, 1, 9, 200, 70_000];
    for (const [index, size] of sizes.entries()) {
      const value = Buffer.alloc(size, index + 1);
      await store.commit({ guards: [], writes: [{ key: bytes(`k${index}`), value }] });
    }
    const range = { from: bytes("k"), to: bytes("l"), limit: 9, keyFrom: 1 };
    const seen: number[] = [];
    const keepBytes = (value: Uint8Array) => {
      seen.push(value.length);
      return Math.min(value.length, 10);
    };

    const kept = await store.scanPacked({ ...range, keepBytes });
    const none = await store.scanPacked({ ...range, keysOnly: true });

    assert.deepEqual(seen, sizes);
    assert.deepEqual(
      packedTexts(kept.values),
      sizes.map((size, index) => String.fromCharCode(index + 1).repeat(Math.min(size, 10))),
    );
    assert.deepEqual(packedTexts(none.keys), packedTexts(kept.keys));
    assert.deepEqual(packedTexts(none.values), ["", "", "", "", ""]);
  });

  test(`${adapter}: a packed scan that fails halfway leaves nothing behind`, async () => {
    await using store = await open();
    for (const key of ["a", "b"]) await store.commit(write(key, "x"));
    const range = { ...EVERYTHING, keyFrom: 0 };
    const leaveOut = () => {
      throw new RangeError("halfway");
    };

    await assert.rejects(async () => await store.scanPacked({ ...range, leaveOut }), RangeError);

    assert.deepEqual((await store.scan(EVERYTHING)).map(pair), [
      ["a", "x"],
      ["b", "x"],
    ]);
    assert.deepEqual(packedTexts((await store.scanPacked(range)).keys), ["a", "b"]);
  });

  test(`${adapter}: any packed scan that leaves out is the simple one`, async () => {
    const key = fc.string({ unit: fc.constantFrom(..."ab/\u00ff"), minLength: 1, maxLength: 6 });
    const asked = fc.record({ keys: fc.uniqueArray(key), limit: fc.nat(12), hidden: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(asked, async ({ keys, limit, hidden }) => {
        await using store = await open();
        // In latin1, so that a common prefix may end with the highest byte.
        const writes = keys.map((name) => ({ key: latin1(`k${name}`), value: bytes("") }));
        await store.commit({ guards: [], writes });
        const commonOf = (name: string) =>
          name.length % 4 === hidden ? 0 : name.search(/[/\u00ff]/) + 1;
        const leaveOut = ({ keys: all }: PackedEntries) =>
          commonOf(all.sliceOf(all.count - 1).toString("latin1"));
        const range = { from: bytes("k"), to: bytes("l"), limit, keyFrom: 1, leaveOut };

        const { keys: packed } = await store.scanPacked(range);

        const shown: string[] = [];
        for (const name of keys.sort((a, b) => Buffer.compare(latin1(a), latin1(b)))) {
          const last = shown.at(-1) ?? "";
          const common = commonOf(last);
          if (common === 0 || !name.startsWith(last.slice(0, common))) shown.push(name);
        }
        assert.deepEqual(
          Array.from({ length: packed.count }, (_, at) => packed.sliceOf(at).toString("latin1")),
          shown.slice(0, limit),
        );
      }),
      { numRuns: adapter === "memory" ? 300 : 60 },
    );
  });

  test(`${adapter}: what a caller does with its buffers afterwards changes nothing`, async () => {
    await using store = await open();
    const value = bytes("kept");
    await store.commit({ guards: [], writes: [{ key: bytes("a"), value }] });
    value.fill(0);
    const read = await store.get(bytes("a"));
    await store.commit(write("b", "other"));
    await store.get(bytes("b"));

    assert.equal(text(read?.value), "kept");
  });

  test(`${adapter}: the revision of SELDOM_KEY is that of the last commit that wrote a seldom key`, async () => {
    await using store = await open();
    const seldom = async () => (await store.get(SELDOM_KEY))?.revision ?? 0;
    await store.commit(write("often", "x"));
    assert.equal(await seldom(), 0);
    const made = await store.commit(write("bucket", "1"));
    await store.commit(write("often", "y"));
    assert.equal(await seldom(), made);
    const removed = await store.commit({
      guards: [],
      writes: [...write("often", "z").writes, ...write("bucket", undefined).writes],
    });
    assert.equal(await seldom(), removed);
    // Applied by one transaction, which a refused one shares.
    const stale = [{ key: bytes("K1"), revision: 99 }];
    const outcomes = await Promise.all([
      store.commit(write("Dd", "1")),
      store.commit(write("often", "1")),
      store.commit(write("K1", "1", stale)),
    ]);
    assert.equal(outcomes[2], undefined);
    assert.equal(await seldom(), outcomes[0]);
  });

  test(`${adapter}: any history of commits leaves what the model holds`, async () => {
    const key = fc.constantFrom("a", "a/", "a/b", "b", "\u{10000}");
    const step = fc.record({
      key,
      value: fc.option(fc.string(), { nil: undefined }),
      fresh: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (history) => {
        await using store = await open();
        await using model = new MemoryMetaStore();
        for (const { key, value, fresh } of history) {
          const guards = fresh ? [{ key: bytes(key), revision: 0 }] : [];
          const change = write(key, value, guards);
          assert.equal(await store.commit(change), await model.commit(change));
        }
        const [actual, expected] = [await store.scan(EVERYTHING), await model.scan(EVERYTHING)];
        assert.deepEqual(actual.map(pair), expected.map(pair));
      }),
      { numRuns: adapter === "memory" ? 100 : 20 },
    );
  });
}

function write(key: string, value: string | undefined, guards: Change["guards"] = []): Change {
  return {
    guards,
    writes: [{ key: bytes(key), value: value === undefined ? undefined : bytes(value) }],
  };
}

function pair({ key, value }: Entry): [string, string] {
  return [text(key), text(value)];
}

function packedTexts(packed: PackedBytes): string[] {
  return Array.from({ length: packed.count }, (_, index) => text(packed.sliceOf(index)));
}

function latin1(value: string): Buffer {
  return Buffer.from(value, "latin1");
}

function bytes(value: string): Buffer {
  return Buffer.from(value);
}

function text(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? []).toString();
}
