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
  readonly scan: (range: KeyRange) => Promise<Batch<Item>>;
  /** The first store key after everything that begins with a common prefix. */
  readonly prefixEnd: (commonPrefix: string) => Buffer;
}

/** Entries that were read together, in key order. */
export interface Batch<Item> {
  readonly count: number;
  keyOf(index: number): string;
  /** undefined for an entry that is not shown. */
  read(index: number, key: string): Item | undefined;
  storeKeyOf(index: number): Buffer;
}

export interface Walked<Item> {
  readonly items: readonly Item[];
  readonly prefixes: readonly string[];
  /** What was shown last, when more follows. */
  readonly next: { readonly item: Item } | { readonly prefix: string } | undefined;
}

const BATCH_MAX = 1_000;
/** With a delimiter most of a batch may be skipped, so that the first ones are small. */
const BATCH_FIRST = 4;
const BATCH_GROWTH = 4;

/** Costs one seek for each common prefix, whatever lies below it. */
export async function walk<Item>(ask: Walk<Item>): Promise<Walked<Item>> {
  const page = new Page<Item>(ask.limit);
  let from = ask.span.from;
  let limit = firstBatch(ask);
  while (Buffer.compare(from, ask.span.to) < 0) {
    const batch = await ask.scan({ from, to: ask.span.to, limit });
    const jump = fill(page, batch, ask);
    if (page.full) return page.result();
    if (jump !== undefined) {
      from = jump;
      limit = firstBatch(ask);
      continue;
    }
    if (batch.count < limit) break;
    from = afterKey(batch.storeKeyOf(batch.count - 1));
    limit = Math.min(limit * BATCH_GROWTH, ask.batchMax ?? BATCH_MAX);
  }
  return page.result();
}

/** Where to go on when a common prefix was met whose end lies behind this batch. */
function fill<Item>(page: Page<Item>, batch: Batch<Item>, ask: Walk<Item>): Buffer | undefined {
  let jump: Buffer | undefined;
  for (let index = 0; index < batch.count; index += 1) {
    if (jump !== undefined && Buffer.compare(batch.storeKeyOf(index), jump) < 0) continue;
    jump = undefined;
    const key = batch.keyOf(index);
    const cut = ask.delimiter === "" ? -1 : key.indexOf(ask.delimiter, ask.prefix.length);
    const item = batch.read(index, key);
    // A prefix is shown for what can be seen below it: delete markers make none.
    if (item === undefined) continue;
    if (cut < 0) {
      if (!page.addItem(item)) return undefined;
      continue;
    }
    const prefix = key.slice(0, cut + ask.delimiter.length);
    if (!page.addPrefix(prefix)) return undefined;
    jump = ask.prefixEnd(prefix);
  }
  return jump;
}

function firstBatch<Item>({ delimiter, limit, batchMax = BATCH_MAX }: Walk<Item>): number {
  return delimiter === "" ? Math.min(limit + 1, batchMax) : BATCH_FIRST;
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
    this.#full = this.#items.length + this.#prefixes.length >= this.#limit;
    return this.#full;
  }
}
