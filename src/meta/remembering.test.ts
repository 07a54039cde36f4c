import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { MemoryMetaStore } from "#meta/memory.ts";
import { RememberingMetaStore } from "#meta/remembering.ts";
import { SELDOM_KEY } from "#meta/seldom.ts";
import type { Entry } from "#meta/store.ts";

/** A store that counts what is asked of it. */
class CountedStore extends MemoryMetaStore {
  readonly asked: string[] = [];

  override async get(key: Uint8Array): Promise<Entry | undefined> {
    this.asked.push(Buffer.from(key).equals(SELDOM_KEY) ? "seldom" : Buffer.from(key).toString());
    return await super.get(key);
  }
}

test("what seldom changes is read once, and again when any of it has changed", async () => {
  const inner = new CountedStore();
  const [here, there] = [new RememberingMetaStore(inner), new RememberingMetaStore(inner)];
  await there.commit(write("bucket", "1"));
  const read = async (...keys: string[]) => {
    await setImmediate();
    inner.asked.length = 0;
    const values: (string | undefined)[] = [];
    for (const key of keys) values.push(textOf(await here.get(Buffer.from(key))));
    return { values, asked: [...inner.asked] };
  };

  const first = await read("bucket", "Pabsent", "often");
  const second = await read("bucket", "Pabsent", "often");
  await there.commit(write("often", "2"));
  const third = await read("bucket", "Pabsent", "often");
  await there.commit(write("Pabsent", "now"));
  const fourth = await read("bucket", "Pabsent");

  assert.deepEqual(first.asked, ["seldom", "bucket", "Pabsent", "often"]);
  assert.deepEqual(second, { values: ["1", undefined, undefined], asked: ["seldom", "often"] });
  assert.deepEqual(third, { values: ["1", undefined, "2"], asked: ["seldom", "often"] });
  assert.deepEqual(fourth, { values: ["1", "now"], asked: ["seldom", "bucket", "Pabsent"] });
});

test("whoever changes what, all see it with their next read", async () => {
  const step = fc.record({
    writer: fc.nat(2),
    key: fc.constantFrom("b1", "b2", "K1", "often"),
    value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
    pause: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const inner = new MemoryMetaStore();
      const stores = Array.from({ length: 3 }, () => new RememberingMetaStore(inner));
      for (const { writer, key, value, pause } of steps) {
        // What is read while it is being changed may be either, and must not be remembered as the new.
        const during = stores.map((store) => store.get(Buffer.from(key)));
        await stores[writer]?.commit(write(key, value));
        await Promise.all(during);
        const own = await stores[writer]?.get(Buffer.from(key));
        assert.equal(textOf(own), value);
        // The others are other processes: they learn of it with an event.
        await setImmediate();
        if (pause) continue;
        for (const store of stores) assert.equal(textOf(await store.get(Buffer.from(key))), value);
      }
    }),
    { numRuns: 60 },
  );
});

function write(key: string, value: string | undefined) {
  const bytes = value === undefined ? undefined : Buffer.from(value);
  return { guards: [], writes: [{ key: Buffer.from(key), value: bytes }] };
}

function textOf(entry: Entry | undefined): string | undefined {
  return entry && Buffer.from(entry.value).toString();
}
