import { invalidArgument, S3Error } from "#base/error.ts";
import { children, childText, type Element, tag, wrap } from "#base/xml.ts";
import { bucketDocument } from "#s3/bucket-document.ts";
import { requireServerAlgorithm } from "#s3/encryption.ts";

/**
 * What writes to a bucket are encrypted with when they do not say: nothing, or SSE-S3.
 *
 * Differs: on AWS each bucket has SSE-S3 as its default, and a Delete brings that back; here there is
 * none until one is put.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
 */
export const bucketEncryption = bucketDocument({
  kind: "encryption",
  name: "BucketEncryption",
  forVolumes: false,
  root: "ServerSideEncryptionConfiguration",
  actions: {
    get: "s3:GetEncryptionConfiguration",
    put: "s3:PutEncryptionConfiguration",
    delete: "s3:PutEncryptionConfiguration",
  },
  putStatus: 200,
  missing: "ServerSideEncryptionConfigurationNotFoundError",
  check: (root) => {
    const rules = children(root, "Rule");
    const [rule] = rules;
    if (rule === undefined || rules.length > 1) throw new S3Error("MalformedXML", {});
    return wrap("Rule", checkRule(rule));
  },
});

/** Fails: MalformedXML, NotImplemented, InvalidArgument. */
function checkRule(rule: Element): string {
  const [byDefault] = children(rule, "ApplyServerSideEncryptionByDefault");
  const algorithm = byDefault && childText(byDefault, "SSEAlgorithm");
  if (byDefault === undefined || algorithm === undefined) throw new S3Error("MalformedXML", {});
  requireServerAlgorithm(algorithm);
  if (childText(byDefault, "KMSMasterKeyID") !== undefined) {
    const message =
      "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
    throw invalidArgument("ApplyServerSideEncryptionByDefault", "", message);
  }
  if (children(rule, "BlockedEncryptionTypes").length > 0) {
    const message = "BlockedEncryptionTypes is not implemented.";
    throw new S3Error("NotImplemented", { Operation: "BlockedEncryptionTypes" }, { message });
  }
  const bucketKey = childText(rule, "BucketKeyEnabled") ?? "false";
  if (bucketKey !== "true" && bucketKey !== "false") throw new S3Error("MalformedXML", {});
  return (
    wrap("ApplyServerSideEncryptionByDefault", tag("SSEAlgorithm", algorithm)) +
    tag("BucketKeyEnabled", bucketKey)
  );
}
