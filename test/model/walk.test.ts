/** Pages that are read in several batches, whose limits no list of a few keys comes to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KeyRange } from "#meta/store.ts";
import { listingOf } from "#test/model/listing.ts";
import { runs } from "#test/support/runs.ts";
import { afterPrefix, headSpan } from "#versioned/keys.ts";
import { type Batch, walk } from "#versioned/walk.ts";

interface Entry {
  readonly key: string;
  readonly isShown: boolean;
}

const BUCKET_ID = "0".repeat(16);
const STEM = headSpan(BUCKET_ID, "").from;
const DELIMITER = "/";

class Entries implements Batch<string> {
  readonly #entries: readonly Entry[];

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  get count(): number {
    return this.#entries.length;
  }

  keyOf(index: number): string {
    return this.#entries[index]?.key ?? "";
  }

  isShown(index: number): boolean {
    return this.#entries[index]?.isShown === true;
  }

  read(index: number, key: string): string | undefined {
    return this.isShown(index) ? key : undefined;
  }

  storeKeyOf(index: number): Buffer {
    return storeKey(this.keyOf(index));
  }
}

/** Groups of keys below a common prefix, a few of them very large, and keys beside them. */
const groups = fc.array(
  fc.record({
    size: fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) }),
    hidden: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(60)),
    isHidden: fc.boolean(),
  }),
  { minLength: 1, maxLength: 90, size: "max" },
);
const asked = fc.record({
  groups,
  delimiter: fc.constantFrom("", DELIMITER, DELIMITER),
  limit: fc.oneof(fc.constantFrom(1, 30, 31, 32, 33, 64, 1_000), fc.integer({ min: 1, max: 99 })),
  batchMax: fc.constantFrom(undefined, 7, 40),
  leavesOut: fc.boolean(),
});

test("a page is the naive one, however many batches it takes, whether scans leave out or not", async () => {
  await fc.assert(
    fc.asyncProperty(asked, async ({ groups: made, delimiter, limit, batchMax, leavesOut }) => {
      const entries = made.flatMap(({ size, hidden, isHidden }, at) => {
        const group = `g${String(at).padStart(3, "0")}`;
        const below = Array.from({ length: size }, (_, index) => ({
          key: `${group}/${String(index).padStart(2, "0")}`,
          isShown: index >= hidden,
        }));
        return [{ key: group, isShown: !isHidden }, ...below];
      });

      const page = await walk<string>({
        ...{ span: headSpan(BUCKET_ID, ""), prefix: "", delimiter, limit },
        ...(batchMax === undefined ? {} : { batchMax }),
        scan: async (range) => new Entries(scan(entries, range, delimiter !== "" && leavesOut)),
        prefixEnd: (prefix) => afterPrefix(storeKey(prefix)),
      });

      const shown = entries.filter(({ isShown }) => isShown).map(({ key }) => key);
      const naive = listingOf(shown, (key) => key, { prefix: "", delimiter, after: "", limit });
      assert.deepEqual(
        [page.items, page.prefixes],
        [
          naive.rows.flatMap((row) => ("item" in row ? [row.item] : [])),
          naive.rows.flatMap((row) => ("prefix" in row ? [row.prefix] : [])),
        ],
      );
      const { next } = page;
      assert.equal(next && ("item" in next ? next.item : next.prefix), naive.next);
    }),
    runs({ short: 400, long: 20_000 }),
  );
});

function scan(all: readonly Entry[], { from, to, limit }: KeyRange, leavesOut: boolean): Entry[] {
  const found: Entry[] = [];
  for (const entry of all) {
    const key = storeKey(entry.key);
    if (Buffer.compare(key, from) < 0 || Buffer.compare(key, to) >= 0) continue;
    const last = found.at(-1);
    const cut = last?.isShown === true ? last.key.indexOf(DELIMITER) : -1;
    if (leavesOut && cut >= 0 && entry.key.startsWith(last?.key.slice(0, cut + 1) ?? "")) continue;
    found.push(entry);
    if (found.length === limit) break;
  }
  return found;
}

function storeKey(key: string): Buffer {
  return Buffer.concat([STEM, Buffer.from(key)]);
}
