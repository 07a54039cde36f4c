import { S3Error } from "#base/error.ts";
import { children, childText, tag, wrap } from "#base/xml.ts";
import { bucketDocument } from "#s3/bucket-document.ts";
import { NEEDING_ACLS, OWNER_ENFORCED, ownershipNotOffered } from "#s3/object-ownership.ts";

/**
 * The bucket's owner owns every object: no other rule can be chosen, since ACLs are disabled.
 *
 * Differs: on AWS a new bucket has BucketOwnerEnforced, and reads answer it; here there is nothing to read
 * until it is put, although it holds.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html
 * Fails: MalformedXML, NotImplemented.
 */
export const bucketOwnershipControls = bucketDocument({
  kind: "ownershipControls",
  name: "BucketOwnershipControls",
  root: "OwnershipControls",
  actions: {
    get: "s3:GetBucketOwnershipControls",
    put: "s3:PutBucketOwnershipControls",
    delete: "s3:PutBucketOwnershipControls",
  },
  putStatus: 200,
  missing: "OwnershipControlsNotFoundError",
  check: (root) => {
    const [rule, ...more] = children(root, "Rule");
    if (rule === undefined || more.length > 0) throw new S3Error("MalformedXML", {});
    const ownership = childText(rule, "ObjectOwnership");
    if (ownership !== undefined && NEEDING_ACLS.includes(ownership)) {
      throw ownershipNotOffered(ownership);
    }
    if (ownership !== OWNER_ENFORCED) throw new S3Error("MalformedXML", {});
    return wrap("Rule", tag("ObjectOwnership", ownership));
  },
});
