import { readOwnerDocument, requireOwner } from "#s3/acl.ts";
import { operation } from "#s3/operation.ts";
import { empty } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";
import { requireOwnerAcl } from "#s3/unoffered.ts";

/**
 * Takes what changes nothing: the owner has full control.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html
 * Fails: AccessControlListNotSupported, MalformedACLError, MissingSecurityHeader.
 */
export const putBucketAcl = operation({
  name: "PutBucketAcl",
  route: { method: "PUT", on: "bucket", query: ["acl"] },
  body: "document",
  parse: (request) => {
    requireOwnerAcl(request.headers);
    return { bucket: bucketOf(request), owner: readOwnerDocument(request) };
  },
  grants: ({ bucket }) => [{ action: "s3:PutBucketAcl", resource: bucket }],
  run: async ({ open }, { bucket: name, owner }) => {
    const { bucket } = await open(name);
    requireOwner(owner, bucket);
  },
  render: () => empty(200),
});
