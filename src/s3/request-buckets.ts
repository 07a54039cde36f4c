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
  const known = new Map<BucketName, FoundBucket | undefined>();
  return async (name) => {
    if (known.has(name)) return known.get(name);
    const bucket = await catalog.find(name);
    const found = bucket && { bucket, settings: await catalog.settings(bucket) };
    known.set(name, found);
    return found;
  };
}
