import { bucketDocument } from "#s3/bucket-document.ts";
import { readCorsRules, writeCorsRules } from "#s3/cors.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html */
export const bucketCors = bucketDocument({
  kind: "cors",
  name: "BucketCors",
  root: "CORSConfiguration",
  actions: { get: "s3:GetBucketCORS", put: "s3:PutBucketCORS", delete: "s3:PutBucketCORS" },
  putStatus: 200,
  missing: "NoSuchCORSConfiguration",
  check: (root) => writeCorsRules(readCorsRules(root)),
});
