/**
 * Several engines over one store, as so many processes are, while the store is slow, full, or unable to
 * say what became of a commit, and the clock jumps: what each client saw is what some order would show.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { MemoryBlobStore } from "#blob/memory.ts";
import { Catalog } from "#catalog/catalog.ts";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Change, Entry, KeyRange } from "#meta/store.ts";
import { bucketName } from "#object/name.ts";
import { requireLinearizable, run, type Store } from "#test/linear/clients.ts";
import { performOn } from "#test/linear/engine-store.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";
import { Random } from "#test/support/random.ts";
import { LONG } from "#test/support/runs.ts";
import { VersionedEngine } from "#versioned/engine.ts";

const ROUNDS = LONG ? 500 : 4;
const OPERATIONS = 1_200;
const NAME = bucketName("bucket");
const HOUR_MS = 3_600_000;

/** Slow at random; now and then full, or silent about a commit that happened or did not. */
class ChaoticMetaStore extends MemoryMetaStore {
  readonly #random: Random;
  isCalm = true;

  constructor(seed: number) {
    super();
    this.#random = new Random(seed);
  }

  override async get(key: Uint8Array): Promise<Entry | undefined> {
    await this.#pause();
    return await super.get(key);
  }

  override async scan(range: KeyRange): Promise<Entry[]> {
    await this.#pause();
    return await super.scan(range);
  }

  override async commit(change: Change): Promise<number | undefined> {
    await this.#pause();
    this.#fail(60, "full");
    this.#fail(60, "unavailable");
    const sequence = await super.commit(change);
    await this.#pause();
    this.#fail(60, "unavailable");
    return sequence;
  }

  async #pause(): Promise<void> {
    if (this.isCalm || this.#random.once(3)) return;
    // Some turns of the event loop: others come first.
    for (let turns = this.#random.below(4); turns > 0; turns -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #fail(times: number, kind: StorageError["kind"]): void {
    if (this.isCalm || !this.#random.once(times)) return;
    throw new StorageError(kind, "as the test asks");
  }
}

/** Commits whatever the guards say. */
class CarelessMetaStore extends ChaoticMetaStore {
  override async commit(change: Change): Promise<number | undefined> {
    const guards = change.guards.filter(({ key }) => key[0] !== HEAD);
    return await super.commit({ ...change, guards });
  }
}
/** The letter of the keys of heads. */
const HEAD = "o".charCodeAt(0);

/** Remembers what it has read once. */
class ForgetfulMetaStore extends ChaoticMetaStore {
  readonly #known = new Map<string, Entry | undefined>();

  override async get(key: Uint8Array): Promise<Entry | undefined> {
    const name = Buffer.from(key).toString("hex");
    const found = await super.get(key);
    const stale = this.#known.get(name);
    this.#known.set(name, found);
    return stale ?? found;
  }
}

test("what clients of several engines saw, some order of their operations explains", async (t) => {
  let operations = 0;
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const histories = await record(new ChaoticMetaStore(seed), seed);
    for (const history of histories.values()) operations += history.length;
    requireLinearizable(histories);
  }
  t.diagnostic(`${operations} operations`);
});

for (const [what, storeOf] of Object.entries({
  "ignores guards": (seed: number) => new CarelessMetaStore(seed),
  "reads what was there before": (seed: number) => new ForgetfulMetaStore(seed),
})) {
  test(`a store that ${what} is found out`, async () => {
    const histories = await record(storeOf(1), 1);

    assert.throws(() => requireLinearizable(histories), /no order explains/);
  });
}

async function record(meta: ChaoticMetaStore, seed: number) {
  const random = new Random(seed);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const clock: Clock = {
    now: () => systemClock.now() + (random.once(10) ? random.below(2 * HOUR_MS) - HOUR_MS : 0),
    sleep: async () => {
      await turn();
    },
  };
  const catalog = new Catalog(meta, clock);
  await catalog.create(NAME, { id: "owner", region: "r" });
  const bucket = await catalog.bucket(NAME);
  const limits = { inlineBytesMax: 100, partBytesMin: 5 };
  const stores = { meta, blobs: new MemoryBlobStore(), clock, limits, keyring: TEST_KEYRING };
  const [first, ...others] = [1, 2, 3].map(() => new VersionedEngine(stores));
  assert.ok(first !== undefined);
  const store: Store = {
    perform: (group, ask, body) =>
      performOn(random.one(first, ...others), bucket, { group, ask, body }),
  };
  meta.isCalm = false;
  let left = OPERATIONS;
  const goesOn = () => {
    left -= 1;
    return left >= 0;
  };
  return await run(store, { clients: 6, groups: 3, seed, goesOn, sizes: [10, 200] });
}
