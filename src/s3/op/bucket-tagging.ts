import { bucketDocument } from "#s3/bucket-document.ts";
import { readBucketTagging, writeTagging } from "#s3/tags.ts";

/**
 * Up to 50 tags, each as an object's. A set of none is no set.
 *
 * Observed: 2026-02-23, as others recorded AWS: after a Put of none a Get is NoSuchTagSet.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html
 */
export const bucketTagging = bucketDocument({
  kind: "tagging",
  name: "BucketTagging",
  root: "Tagging",
  actions: {
    get: "s3:GetBucketTagging",
    put: "s3:PutBucketTagging",
    delete: "s3:DeleteBucketTagging",
  },
  putStatus: 204,
  missing: "NoSuchTagSet",
  check: (tagging) => {
    const tags = readBucketTagging(tagging);
    return tags.length === 0 ? undefined : writeTagging(tags);
  },
});
