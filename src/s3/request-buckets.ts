import type { BucketSettings } from "#catalog/bucket-settings.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";

export interface FoundBucket {
  readonly bucket: Bucket;
  readonly settings: BucketSettings;
}

/** undefined when there is no such bucket. */
export type FindBucket = (name: BucketName) => Promise<FoundBucket | undefined>;

/** A request sees each bucket as it was when it first asked for it: read once, judged as it is used. */
export function requestBuckets(catalog: Catalog): FindBucket {
  const known = new Map<BucketName, Promise<FoundBucket | undefined>>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = findBucket(catalog, name);
    known.set(name, found);
    return found;
  };
}

async function findBucket(catalog: Catalog, name: BucketName): Promise<FoundBucket | undefined> {
  const bucket = await catalog.find(name);
  return bucket && { bucket, settings: await catalog.settings(bucket) };
}
