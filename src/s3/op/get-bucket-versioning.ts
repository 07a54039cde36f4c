import { tag } from "#base/xml.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

/** Empty when versions were never kept. Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html */
export const getBucketVersioning = operation({
  name: "GetBucketVersioning",
  route: { method: "GET", on: "bucket", query: ["versioning"] },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:GetBucketVersioning", resource: bucket }],
  run: async ({ open }, bucket) => (await open(bucket)).bucket,
  render: ({ versioning }) =>
    xmlReply("VersioningConfiguration", versioning === undefined ? "" : tag("Status", versioning)),
});
