import type { Entry, MetaStore } from "#meta/store.ts";
import type { Span } from "#versioned/keys.ts";

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
  readonly keyOf: (entry: Entry) => string;
  /** The first store key after everything that begins with a common prefix. */
  readonly prefixEnd: (commonPrefix: string) => Buffer;
  /** undefined for an entry that is not shown. */
  readonly read: (entry: Entry, key: string) => Item | undefined;
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
export async function walk<Item>(meta: MetaStore, ask: Walk<Item>): Promise<Walked<Item>> {
  const page = new Page<Item>(ask.limit);
  let from = ask.span.from;
  let batch = firstBatch(ask);
  while (Buffer.compare(from, ask.span.to) < 0) {
    const entries = await meta.scan({ from, to: ask.span.to, limit: batch });
    const jump = fill(page, entries, ask);
    if (page.full) return page.result();
    if (jump !== undefined) {
      from = jump;
      batch = firstBatch(ask);
      continue;
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < batch) break;
    from = Buffer.concat([last.key, Buffer.from([0])]);
    batch = Math.min(batch * BATCH_GROWTH, ask.batchMax ?? BATCH_MAX);
  }
  return page.result();
}

/** Where to go on when a common prefix was met whose end lies behind this batch. */
function fill<Item>(
  page: Page<Item>,
  entries: readonly Entry[],
  ask: Walk<Item>,
): Buffer | undefined {
  let jump: Buffer | undefined;
  for (const entry of entries) {
    if (jump !== undefined && Buffer.compare(entry.key, jump) < 0) continue;
    jump = undefined;
    const key = ask.keyOf(entry);
    const cut = ask.delimiter === "" ? -1 : key.indexOf(ask.delimiter, ask.prefix.length);
    const item = ask.read(entry, key);
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
  #last: { readonly item: Item } | { readonly prefix: string } | undefined;
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
    this.#last = { item };
    return true;
  }

  addPrefix(prefix: string): boolean {
    if (this.#refuses()) return false;
    this.#prefixes.push(prefix);
    this.#last = { prefix };
    return true;
  }

  result(): Walked<Item> {
    return {
      items: this.#items,
      prefixes: this.#prefixes,
      next: this.#full ? this.#last : undefined,
    };
  }

  #refuses(): boolean {
    this.#full = this.#items.length + this.#prefixes.length >= this.#limit;
    return this.#full;
  }
}
