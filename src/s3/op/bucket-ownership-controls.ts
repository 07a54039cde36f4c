import { S3Error } from "#base/error.ts";
import { child, childText, tag, wrap } from "#base/xml.ts";
import { bucketDocument } from "#s3/bucket-document.ts";

/**
 * The bucket's owner owns every object: no other rule can be chosen, since ACLs are disabled.
 *
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
    const rule = child(root, "Rule");
    const ownership = rule === undefined ? undefined : childText(rule, "ObjectOwnership");
    if (ownership === "BucketOwnerPreferred" || ownership === "ObjectWriter") {
      const message = `ObjectOwnership ${ownership} needs ACLs, which are not implemented. Use BucketOwnerEnforced.`;
      throw new S3Error("NotImplemented", { Operation: "ACL" }, { message });
    }
    if (ownership !== "BucketOwnerEnforced") throw new S3Error("MalformedXML", {});
    return wrap("Rule", tag("ObjectOwnership", ownership));
  },
});
