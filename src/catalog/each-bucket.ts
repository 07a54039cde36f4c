import type { BucketRow, Catalog } from "#catalog/catalog.ts";

export interface EachBucketAsk {
  /** Of all organizations when it is absent. */
  readonly organizationId?: string | undefined;
  /** Only those after this one; "" for all. */
  readonly after: string;
}

const PAGE = 100;

/**
 * All buckets in the order of their names, read a page at a time; those too whose records cannot be read. What
 * is at hand is read without waiting for anything: between pages others have their turn.
 */
export async function* eachBucket(
  catalog: Pick<Catalog, "list">,
  { organizationId, after: start }: EachBucketAsk,
): AsyncGenerator<BucketRow> {
  for (let after: string | undefined = start; after !== undefined; ) {
    const page = await catalog.list({ organizationId, prefix: "", after, limit: PAGE });
    yield* page.rows;
    after = page.next;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
