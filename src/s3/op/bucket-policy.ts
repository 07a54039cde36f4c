import { type BucketPolicy, readNewBucketPolicy } from "#access/bucket-policy.ts";
import { PolicyError } from "#access/policy-error.ts";
import { S3Error } from "#base/error.ts";
import type { BucketName } from "#object/name.ts";
import { type Operation, operation } from "#s3/operation.ts";
import { blocksPublicPolicies } from "#s3/public-access.ts";
import { empty } from "#s3/reply.ts";
import { bucketOf } from "#s3/request.ts";

const ON = { on: "bucket", query: ["policy"] } as const;

/**
 * The bucket's policy, byte for byte as it was put.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
 * Fails: NoSuchBucketPolicy.
 */
const getBucketPolicy = operation({
  name: "GetBucketPolicy",
  route: { method: "GET", ...ON },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:GetBucketPolicy", resource: bucket }],
  run: async ({ open, catalog }, bucket) => {
    const text = await catalog.document((await open(bucket)).bucket, "policy");
    if (text === undefined) throw new S3Error("NoSuchBucketPolicy", { BucketName: bucket });
    return text;
  },
  render: (body) => ({
    status: 200,
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
    },
    body,
  }),
});

/**
 * Differs: `x-amz-confirm-remove-self-bucket-access` needs not be sent, since no bucket policy can
 * take away the right to put another: organization policies alone decide that.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 * Fails: MalformedPolicy; AccessDenied for a public one that the public access block refuses.
 */
const putBucketPolicy = operation({
  name: "PutBucketPolicy",
  route: { method: "PUT", ...ON },
  body: "document",
  parse: (request) => {
    const bucket = bucketOf(request);
    return { bucket, text: request.document, policy: policyOf(request.document, bucket) };
  },
  grants: ({ bucket }) => [{ action: "s3:PutBucketPolicy", resource: bucket }],
  run: async ({ open, catalog }, { bucket: name, text, policy }) => {
    const { bucket } = await open(name);
    const block = await catalog.document(bucket, "publicAccessBlock");
    if (policy.isPublic && blocksPublicPolicies(block)) {
      const message =
        'The policy is public, and the bucket\'s public access block has BlockPublicPolicy. Name principals, or narrow "*" with a condition on cw:PrincipalOrgID.';
      throw new S3Error("AccessDenied", {}, { message });
    }
    await catalog.setDocument(bucket, "policy", text);
  },
  render: () => empty(204),
});

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html */
const deleteBucketPolicy = operation({
  name: "DeleteBucketPolicy",
  route: { method: "DELETE", ...ON },
  body: "none",
  parse: bucketOf,
  grants: (bucket) => [{ action: "s3:DeleteBucketPolicy", resource: bucket }],
  run: async ({ open, catalog }, bucket) =>
    await catalog.setDocument((await open(bucket)).bucket, "policy", undefined),
  render: () => empty(204),
});

export const bucketPolicy: readonly Operation[] = [
  getBucketPolicy,
  putBucketPolicy,
  deleteBucketPolicy,
];

/** Fails: MalformedPolicy. */
function policyOf(text: string, bucket: BucketName): BucketPolicy {
  try {
    return readNewBucketPolicy(text, bucket);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new S3Error("MalformedPolicy", {}, { message: cause.message, cause });
  }
}
