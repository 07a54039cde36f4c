import { S3Error } from "#base/error.ts";

/**
 * What ObjectOwnership may be: the bucket's owner owns every object, since ACLs are disabled.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export const OWNER_ENFORCED = "BucketOwnerEnforced";

/** The others that AWS knows, where ACLs count. */
export const NEEDING_ACLS: readonly string[] = ["BucketOwnerPreferred", "ObjectWriter"];

export function ownershipNotOffered(ownership: string): S3Error {
  const message = `ObjectOwnership ${ownership} needs ACLs, which are not implemented. Use ${OWNER_ENFORCED}.`;
  return new S3Error("NotImplemented", { Operation: "ACL" }, { message });
}
