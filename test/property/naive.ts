import type { ListAsk } from "#object/engine.ts";

/** What a list shows, one after the other: a key with what belongs to it, or a common prefix. */
export type Shown<T> = { readonly item: T } | { readonly prefix: string };

export interface NaivePage<T> {
  readonly shown: readonly Shown<T>[];
  /** The key or common prefix of the last that is shown, when more follows. */
  readonly next: string | undefined;
}

/**
 * A list as S3 describes it, of items in any order: sort by bytes, take what begins with the prefix
 * and comes after `after`, roll up, cut. A common prefix that is `after` itself was shown before.
 */
export function naiveList<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { prefix, delimiter, after, limit }: ListAsk,
): NaivePage<T> {
  const sorted = [...items].sort((a, b) => compareBytes(keyOf(a), keyOf(b)));
  const all: Shown<T>[] = [];
  for (const item of sorted) {
    const key = keyOf(item);
    if (!key.startsWith(prefix) || compareBytes(key, after) <= 0) continue;
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
  const shown = all.slice(0, limit);
  const last = shown.at(-1);
  if (last === undefined || all.length <= limit) return { shown, next: undefined };
  return { shown, next: "prefix" in last ? last.prefix : keyOf(last.item) };
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
