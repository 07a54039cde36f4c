import { asBuffer } from "#base/bytes.ts";
import type { PackedEntries } from "#meta/packed.ts";
import { isSeldom, SELDOM_KEY } from "#meta/seldom.ts";
import type { Change, Entry, KeyRange, MetaStore, PackedRange, Snapshot } from "#meta/store.ts";

const KNOWN_MAX = 20_000;

/**
 * A MetaStore that reads what seldom changes once, and then again when any of it has changed, in whatever
 * process: a request asks the store one small question instead of one for each record (law 8).
 */
export class RememberingMetaStore implements MetaStore {
  readonly #inner: MetaStore;
  /** What was read since `#revision`, by key; undefined: there is no such entry. */
  readonly #known = new Map<string, Entry | undefined>();
  #revision = -1;
  #freshened: Promise<void> | undefined;

  constructor(inner: MetaStore) {
    this.#inner = inner;
  }

  get(key: Uint8Array): Promise<Entry | undefined> {
    return isSeldom(key) ? this.#remembered(key) : this.#inner.get(key);
  }

  scan(range: KeyRange): Promise<Entry[]> {
    return this.#inner.scan(range);
  }

  scanPacked(range: PackedRange): Promise<PackedEntries> {
    return this.#inner.scanPacked(range);
  }

  async commit(change: Change): Promise<number | undefined> {
    try {
      return await this.#inner.commit(change);
    } finally {
      this.#freshened = undefined;
    }
  }

  snapshot(): Snapshot {
    return this.#inner.snapshot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #remembered(key: Uint8Array): Promise<Entry | undefined> {
    this.#freshened ??= this.#freshen();
    await this.#freshened;
    const name = asBuffer(key).toString("latin1");
    const known = this.#known.get(name);
    if (known !== undefined || this.#known.has(name)) return known;
    const revision = this.#revision;
    const entry = await this.#inner.get(key);
    // Else it may be older than what somebody else has found out meanwhile.
    if (revision === this.#revision) this.#remember(name, entry);
    return entry;
  }

  /** Once in each turn of the event loop: its handlers run in one go, and none can know of a later commit. */
  async #freshen(): Promise<void> {
    process.nextTick(() => {
      this.#freshened = undefined;
    });
    const revision = (await this.#inner.get(SELDOM_KEY))?.revision ?? 0;
    if (revision === this.#revision) return;
    this.#known.clear();
    this.#revision = revision;
  }

  #remember(name: string, entry: Entry | undefined): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(name, entry);
  }
}
