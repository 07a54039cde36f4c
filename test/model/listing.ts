import type { ListAsk } from "#object/engine.ts";
import { byBytes } from "#test/model/view.ts";

/** What a list shows, one after the other: a key with what belongs to it, or a common prefix. */
export type Row<T> = { readonly item: T } | { readonly prefix: string };

export interface Listing<T> {
  readonly rows: readonly Row<T>[];
  /** The key or common prefix of the last row when more follows. */
  readonly next: string | undefined;
}

/**
 * A list as S3 describes it, of items in any order: sort by bytes, take what begins with the prefix
 * and comes after `after`, roll up, cut. A common prefix that is `after` itself was shown before.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
 */
export function listingOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { prefix, delimiter, after, limit }: ListAsk,
): Listing<T> {
  const sorted = [...items].sort((a, b) => byBytes(keyOf(a), keyOf(b)));
  const all: Row<T>[] = [];
  for (const item of sorted) {
    const key = keyOf(item);
    if (!key.startsWith(prefix) || byBytes(key, after) <= 0) continue;
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      all.push({ item });
      continue;
    }
    const common = key.slice(0, cut + delimiter.length);
    const last = all.at(-1);
    const known = last !== undefined && "prefix" in last && last.prefix === common;
    if (!known && common !== after) all.push({ prefix: common });
  }
  const rows = all.slice(0, limit);
  const last = rows.at(-1);
  if (last === undefined || all.length <= limit) return { rows, next: undefined };
  return { rows, next: "prefix" in last ? last.prefix : keyOf(last.item) };
}
