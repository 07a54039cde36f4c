import { aclElements } from "#s3/acl.ts";
import { ownerOf } from "#s3/listing.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html */
export const getBucketAcl = operation({
  name: "GetBucketAcl",
  route: { method: "GET", on: "bucket", query: ["acl"] },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:ListBucket", resource: bucket }],
  run: async ({ open }, name) => {
    const { bucket } = await open(name);
    return ownerOf(bucket);
  },
  render: (owner) => xmlReply("AccessControlPolicy", aclElements(owner)),
});
