import { bucketArn } from "#s3/bucket-arn.ts";
import { operation } from "#s3/operation.ts";
import { bucketOf } from "#s3/request.ts";

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 * Fails: InvalidBucketName (400), AccessDenied (403), NoSuchBucket (404), all without a body.
 */
export const headBucket = operation({
  name: "HeadBucket",
  route: { method: "HEAD", on: "bucket" },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:ListBucket", resource: bucket }],
  run: async ({ open }, bucket) => (await open(bucket)).bucket,
  render: ({ region }, bucket) => ({
    status: 200,
    headers: {
      "x-amz-bucket-arn": bucketArn(bucket),
      "x-amz-bucket-region": region,
      "x-amz-access-point-alias": "false",
      "content-type": "application/xml",
    },
    body: undefined,
  }),
});
