import { bucketDocument } from "#s3/bucket-document.ts";
import { readTagging, writeTagging } from "#s3/tags.ts";

/**
 * Up to 10 tags, as an object's.
 *
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
  check: (tagging) => writeTagging(readTagging(tagging)),
});
