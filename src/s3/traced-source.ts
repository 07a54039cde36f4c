import type { Grant } from "#access/grant.ts";
import { bucketName } from "#object/name.ts";
import type { FramedRequest } from "#s3/request.ts";
import type { FindBucket, FoundBucket } from "#s3/request-buckets.ts";

/** What a request reads of another bucket than its own. */
export interface TracedSource {
  readonly found: FoundBucket;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** Of a copy between buckets; undefined of every other request, and when there is no such bucket. */
export async function sourceOf(
  grants: readonly Grant[],
  { bucket }: Pick<FramedRequest, "bucket">,
  findBucket: FindBucket,
): Promise<TracedSource | undefined> {
  for (const { resource, versionId } of grants) {
    const slash = resource.indexOf("/");
    const name = resource.slice(0, Math.max(slash, 0));
    if (name === "" || name === bucket) continue;
    const found = await findBucket(bucketName(name));
    return found && { found, key: resource.slice(slash + 1), versionId };
  }
  return undefined;
}
