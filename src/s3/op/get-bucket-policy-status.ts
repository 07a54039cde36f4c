import { readBucketPolicy } from "#access/bucket-policy.ts";
import { S3Error } from "#base/error.ts";
import { tag } from "#base/xml.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

/**
 * Whether the bucket's policy lets in people whom it does not name.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html
 * Fails: NoSuchBucketPolicy.
 */
export const getBucketPolicyStatus = operation({
  name: "GetBucketPolicyStatus",
  route: { method: "GET", on: "bucket", query: ["policyStatus"] },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:GetBucketPolicyStatus", resource: bucket }],
  run: async ({ open, catalog }, name) => {
    const text = await catalog.document((await open(name)).bucket, "policy");
    if (text === undefined) throw new S3Error("NoSuchBucketPolicy", { BucketName: name });
    return readBucketPolicy(text, name).isPublic;
  },
  render: (isPublic) => xmlReply("PolicyStatus", tag("IsPublic", isPublic)),
});
