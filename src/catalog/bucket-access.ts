import type { BucketAccess } from "#access/decide.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";

/** What a bucket says about who may touch it, as it is now. */
export async function bucketAccess(
  { policies, catalog }: { readonly policies: AccessPolicies; readonly catalog: Catalog },
  bucket: Bucket,
): Promise<BucketAccess> {
  const { policy, restrictPublic } = await catalog.settings(bucket);
  const owner = await policies.rules(bucket.organizationId);
  return { ownerId: bucket.organizationId, owner, policy, restrictPublic };
}
