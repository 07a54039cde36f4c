import type { Decision } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import { S3Error } from "#base/error.ts";

/**
 * What a caller is told of a key that is not there: whoever may not list the bucket hears the same as of
 * one that may not be read, so that nobody can find out names by asking.
 *
 * Unverified: what AWS makes of an Allow of s3:ListBucket that has conditions on s3:prefix. Reads give none.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
 */
export async function concealed(
  cause: unknown,
  mayList: () => Promise<Decision | undefined>,
): Promise<{ readonly cause: unknown; readonly denied: string | undefined }> {
  if (!(cause instanceof S3Error) || cause.code !== "NoSuchKey")
    return { cause, denied: undefined };
  const decision = await mayList();
  if (decision === undefined || decision.allowed) return { cause, denied: undefined };
  const denied = `the key is not there, and of s3:ListBucket: ${explain(decision)}`;
  return { cause: new S3Error("AccessDenied", {}, { cause }), denied };
}
