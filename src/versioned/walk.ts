import type { KeyRange } from "#meta/store.ts";
import { afterKey, type Span } from "#versioned/keys.ts";

/** One page of an ordered walk over the entries of a span, with common prefixes rolled up. */
export interface Walk<Item> {
  readonly span: Span;
  /** Items and prefixes together. */
  readonly limit: number;
  readonly prefix: string;
  /** "" for none. */
  readonly delimiter: string;
  /** Where entries are large: how many are held at once. */
  readonly batchMax?: number;
  /** May leave out what follows an entry that is shown as a common prefix, as far as that goes. */
  readonly scan: (range: KeyRange) => Promise<Batch<Item>>;
  /** The first store key after everything that begins with a common prefix. */
  readonly prefixEnd: (commonPrefix: string) => Buffer;
}

/** Entries that were read together, in key order. */
export interface Batch<Item> {
  readonly count: number;
  keyOf(index: number): string;
  isShown(index: number): boolean;
  /** undefined for an entry that is not shown. Asked only for what no common prefix stands for. */
  read(index: number, key: string): Item | undefined;
  storeKeyOf(index: number): Buffer;
}

export interface Walked<Item> {
  readonly items: readonly Item[];
  readonly prefixes: readonly string[];
  /** What was shown last, when more follows. */
  readonly next: { readonly item: Item } | { readonly prefix: string } | undefined;
}

/** A page of S3's size, and the entry that tells that more follows. */
const BATCH_MAX = 1_001;
/** Most lists with a delimiter are short. */
const ROLLED_FIRST = 32;
const BATCH_GROWTH = 8;

/** Costs one seek for each common prefix at the most, whatever lies below it. */
export async function walk<Item>(ask: Walk<Item>): Promise<Walked<Item>> {
  const { batchMax = BATCH_MAX } = ask;
  const page = new Page<Item>(ask.limit);
  let from = ask.span.from;
  let limit = Math.min(ask.limit + 1, ask.delimiter === "" ? batchMax : ROLLED_FIRST);
  let read = 0;
  while (Buffer.compare(from, ask.span.to) < 0) {
    const batch = await ask.scan({ from, to: ask.span.to, limit });
    const prefix = fill(page, batch, ask);
    if (page.full || batch.count < limit) break;
    from = prefix === undefined ? afterKey(batch.storeKeyOf(limit - 1)) : ask.prefixEnd(prefix);
    read += limit;
    // As many may follow that are not shown.
    const wanted = ask.limit + 1 + read - 2 * page.count;
    limit = Math.min(limit * BATCH_GROWTH, batchMax, wanted);
  }
  return page.result();
}

/** The common prefix that stands for the batch's last entry. */
function fill<Item>(page: Page<Item>, batch: Batch<Item>, ask: Walk<Item>): string | undefined {
  let shown: string | undefined;
  for (let index = 0; index < batch.count; index += 1) {
    const key = batch.keyOf(index);
    const cut = ask.delimiter === "" ? -1 : key.indexOf(ask.delimiter, ask.prefix.length);
    if (cut < 0) {
      shown = undefined;
      const item = batch.read(index, key);
      if (item !== undefined && !page.addItem(item)) return undefined;
      continue;
    }
    const prefix = key.slice(0, cut + ask.delimiter.length);
    if (prefix === shown) continue;
    shown = undefined;
    // A prefix is shown for what can be seen below it: delete markers make none.
    if (!batch.isShown(index)) continue;
    if (!page.addPrefix(prefix)) return undefined;
    shown = prefix;
  }
  return shown;
}

class Page<Item> {
  readonly #items: Item[] = [];
  readonly #prefixes: string[] = [];
  readonly #limit: number;
  #lastIsItem = false;
  #full = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#items.length + this.#prefixes.length;
  }

  /** More would follow. */
  get full(): boolean {
    return this.#full;
  }

  addItem(item: Item): boolean {
    if (this.#refuses()) return false;
    this.#items.push(item);
    this.#lastIsItem = true;
    return true;
  }

  addPrefix(prefix: string): boolean {
    if (this.#refuses()) return false;
    this.#prefixes.push(prefix);
    this.#lastIsItem = false;
    return true;
  }

  result(): Walked<Item> {
    return {
      items: this.#items,
      prefixes: this.#prefixes,
      next: this.#full ? this.#last() : undefined,
    };
  }

  #last(): Walked<Item>["next"] {
    const [item, prefix] = [this.#items.at(-1), this.#prefixes.at(-1)];
    if (this.#lastIsItem && item !== undefined) return { item };
    return prefix === undefined ? undefined : { prefix };
  }

  #refuses(): boolean {
    this.#full = this.count >= this.#limit;
    return this.#full;
  }
}
