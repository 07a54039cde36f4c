import { invalidArgument, S3Error } from "#base/error.ts";
import type { Headers } from "#s3/request.ts";

/** Headers whose promise we could not keep: to ignore one would be to break it. */
const HEADERS: readonly (readonly [header: string, feature: string])[] = [
  ["x-amz-object-lock-mode", "ObjectLock"],
  ["x-amz-object-lock-retain-until-date", "ObjectLock"],
  ["x-amz-object-lock-legal-hold", "ObjectLock"],
  ["x-amz-write-offset-bytes", "Append"],
  // Of AbortMultipartUpload.
  ["x-amz-if-match-initiated-time", "If-Match"],
];

/** Fails: NotImplemented, by the name of the feature; AccessControlListNotSupported. */
export function refuseUnoffered(headers: Headers): void {
  for (const [header, feature] of HEADERS) {
    if (headers[header] === undefined) continue;
    const message = `The header ${header} asks for ${feature}, which is not implemented.`;
    throw new S3Error("NotImplemented", { Operation: feature }, { message });
  }
  requireOwnerAcl(headers);
}

const OWNER_ACLS = ["private", "bucket-owner-full-control", "bucket-owner-read"];
const OTHER_ACLS = [
  ...["public-read", "public-read-write", "authenticated-read", "aws-exec-read"],
  // Of buckets.
  "log-delivery-write",
];

/**
 * As on AWS where ACLs are disabled, only those are taken that change nothing.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export function requireOwnerAcl(headers: Headers): void {
  const acl = headers["x-amz-acl"];
  const granted = Object.keys(headers).some((name) => name.startsWith("x-amz-grant-"));
  if (acl !== undefined && !OWNER_ACLS.includes(acl) && !OTHER_ACLS.includes(acl)) {
    throw invalidArgument("x-amz-acl", acl);
  }
  if (granted || (acl !== undefined && !OWNER_ACLS.includes(acl))) {
    const message =
      "The bucket does not allow ACLs: access is given by policies. Leave x-amz-acl out.";
    throw new S3Error("AccessControlListNotSupported", {}, { message });
  }
}
