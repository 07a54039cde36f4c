import { escapeXml } from "#base/xml.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

/**
 * The bucket's region; empty for us-east-1, as AWS answers.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 */
export const getBucketLocation = operation({
  name: "GetBucketLocation",
  route: { method: "GET", on: "bucket", query: ["location"] },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:GetBucketLocation", resource: bucket }],
  run: async ({ open }, bucket) => (await open(bucket)).bucket,
  render: ({ region }) =>
    xmlReply("LocationConstraint", region === "us-east-1" ? "" : escapeXml(region)),
});
