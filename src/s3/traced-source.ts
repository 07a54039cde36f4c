import type { Grant } from "#access/grant.ts";
import { after, type Soon } from "#base/soon.ts";
import type { FindBucket, FoundBucket } from "#catalog/known.ts";
import { bucketName } from "#object/name.ts";
import type { FramedRequest } from "#s3/request.ts";

/** What a request reads of another bucket than its own. */
export interface TracedSource {
  readonly found: FoundBucket;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Of a copy between buckets; undefined when there is no such bucket. */
export function traced(
  { resource, versionId }: Grant,
  findBucket: FindBucket,
): Soon<TracedSource | undefined> {
  const slash = resource.indexOf("/");
  return after(
    findBucket(bucketName(resource.slice(0, slash))),
    (found) => found && { found, key: resource.slice(slash + 1), versionId },
  );
}

/** The grant that is about an object of another bucket: copies have one. */
export function foreignGrant(
  grants: readonly Grant[],
  { bucket }: Pick<FramedRequest, "bucket">,
): Grant | undefined {
  if (grants.length === 1) return undefined;
  return grants.find(({ resource }) => {
    const name = resource.slice(0, Math.max(resource.indexOf("/"), 0));
    return name !== "" && name !== bucket;
  });
}
