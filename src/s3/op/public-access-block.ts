import { S3Error } from "#base/error.ts";
import { childText, tag } from "#base/xml.ts";
import { bucketDocument } from "#s3/bucket-document.ts";

const SWITCHES = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
] as const;

/**
 * The two switches about policies are heeded; those about ACLs are kept and told, since there are no
 * ACLs that could make anything public.
 *
 * Differs: on AWS a new bucket has all four switched on; here there is none until it is put, and nothing is public
 * until a policy says so.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
 */
export const publicAccessBlock = bucketDocument({
  kind: "publicAccessBlock",
  name: "PublicAccessBlock",
  root: "PublicAccessBlockConfiguration",
  actions: {
    get: "s3:GetBucketPublicAccessBlock",
    put: "s3:PutBucketPublicAccessBlock",
    delete: "s3:PutBucketPublicAccessBlock",
  },
  putStatus: 200,
  missing: "NoSuchPublicAccessBlockConfiguration",
  check: (root) =>
    SWITCHES.map((name) => {
      const text = childText(root, name)?.toLowerCase() ?? "false";
      if (text !== "true" && text !== "false") throw new S3Error("MalformedXML", {});
      return tag(name, text);
    }).join(""),
});
