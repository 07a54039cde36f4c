import { asBuffer } from "#base/bytes.ts";
import { writeStamp } from "#base/stamp.ts";
import { addToCounter, isWithin, packCounter } from "#meta/counter.ts";
import { PackedEntries } from "#meta/packed.ts";
import { isSeldom, SELDOM_KEY } from "#meta/seldom.ts";
import type {
  Add,
  Change,
  Entry,
  KeyRange,
  MetaStore,
  PackedRange,
  Snapshot,
  Write,
} from "#meta/store.ts";

/** The reference implementation: obviously right; unit tests run on it and property tests trust it. */
export class MemoryMetaStore implements MetaStore {
  readonly #entries = new Map<string, Entry>();
  /** Every key of #entries in order, as hex, which preserves byte order. */
  readonly #order: string[] = [];
  #sequence = 0;

  async get(key: Uint8Array): Promise<Entry | undefined> {
    return this.#entries.get(hex(key));
  }

  async scan({ from, to, limit, reverse = false }: KeyRange): Promise<Entry[]> {
    const first = lowerBound(this.#order, hex(from));
    const end = Math.max(first, lowerBound(this.#order, hex(to)));
    const keys = reverse
      ? this.#order.slice(Math.max(first, end - limit), end).reverse()
      : this.#order.slice(first, Math.min(end, first + limit));
    return keys.flatMap((key) => this.#entries.get(key) ?? []);
  }

  async scanPacked(range: PackedRange): Promise<PackedEntries> {
    const { keyFrom, limit, keysOnly = false, keepBytes, leaveOut } = range;
    const packed = new PackedEntries(limit);
    const end = lowerBound(this.#order, hex(range.to));
    let leftOut: string | undefined;
    for (let at = lowerBound(this.#order, hex(range.from)); at < end; at += 1) {
      if (packed.keys.count === limit) break;
      const name = this.#order[at] ?? "";
      const entry = this.#entries.get(name);
      if (entry === undefined || (leftOut !== undefined && name.startsWith(leftOut))) continue;
      const { key, value } = entry;
      packed.keys.add(key, keyFrom, key.length);
      packed.values.add(value, 0, keysOnly ? 0 : (keepBytes?.(value) ?? value.length));
      const common = leaveOut?.(packed) ?? 0;
      leftOut = common === 0 ? undefined : name.slice(0, 2 * (keyFrom + common));
    }
    return packed;
  }

  async commit({ guards, writes, adds = [] }: Change): Promise<number | undefined> {
    const holds = guards.every(
      ({ key, revision }) => (this.#entries.get(hex(key))?.revision ?? 0) === revision,
    );
    if (!holds || !adds.every((add) => isWithin(this.#sum(add), add.bounds))) return undefined;
    const made = writes.map((write) => stamped(write, this.#sequence + 1));
    this.#sequence += 1;
    for (const write of made) this.#write(write);
    for (const add of adds) this.#write({ key: add.key, value: packCounter(this.#sum(add)) });
    if (writes.some(({ key }) => isSeldom(key))) this.#write({ key: SELDOM_KEY, value: NOTHING });
    return this.#sequence;
  }

  snapshot(): Snapshot {
    const then = new MemoryMetaStore();
    for (const [key, entry] of this.#entries) then.#entries.set(key, entry);
    then.#order.push(...this.#order);
    return {
      get: async (key) => await then.get(key),
      scan: async (range) => await then.scan(range),
      [Symbol.dispose]: () => undefined,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #sum({ key, amounts }: Add): readonly number[] {
    return addToCounter(this.#entries.get(hex(key))?.value, amounts);
  }

  #write({ key, value }: Pick<Write, "key" | "value">): void {
    const name = hex(key);
    const at = lowerBound(this.#order, name);
    const exists = this.#order[at] === name;
    if (value === undefined) {
      if (exists) this.#order.splice(at, 1);
      this.#entries.delete(name);
      return;
    }
    if (!exists) this.#order.splice(at, 0, name);
    const copy = { key: Buffer.from(key), value: Buffer.from(value), revision: this.#sequence };
    this.#entries.set(name, copy);
  }
}

const NOTHING = Buffer.alloc(0);

function stamped(write: Write, sequence: number): Pick<Write, "key" | "value"> {
  const key = Buffer.from(write.key);
  const value = write.value && Buffer.concat([write.value, write.tail ?? NOTHING]);
  if (write.stampKeyAt !== undefined) writeStamp(key, write.stampKeyAt, sequence);
  if (write.stampValueAt !== undefined && value !== undefined) {
    writeStamp(value, write.stampValueAt, sequence);
  }
  return { key, value };
}

/** The first index whose key is not below `key`. */
function lowerBound(order: readonly string[], key: string): number {
  let from = 0;
  let to = order.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((order[middle] ?? "") < key) from = middle + 1;
    else to = middle;
  }
  return from;
}

function hex(key: Uint8Array): string {
  return asBuffer(key).toString("hex");
}
