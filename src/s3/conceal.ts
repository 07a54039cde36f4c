import type { Decision } from "#access/decide.ts";
import { explain } from "#access/explain.ts";
import type { Grant } from "#access/grant.ts";
import { S3Error } from "#base/error.ts";
import { type Attempted, type Evidence, judge } from "#s3/authorize.ts";
import type { Trace } from "#s3/trace.ts";

interface Missed extends Omit<Attempted, "grants"> {
  /** That a copy reads of another bucket. */
  readonly foreign: Grant | undefined;
}

interface Concealing {
  readonly trace: Trace;
  readonly evidence: Evidence;
  readonly missed: Missed;
}

/**
 * Fails, with what a caller is told of a failure. Of a key that is not there whoever may not list the bucket hears
 * the same as of one that may not be read, so that nobody can find out names by asking.
 *
 * Unverified: what AWS makes of an Allow of s3:ListBucket that has conditions on s3:prefix. Reads give none.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
 */
export async function conceal(
  cause: unknown,
  { trace, evidence, missed }: Concealing,
): Promise<never> {
  if (!isOfMissingKey(cause)) throw cause;
  const decision = await maySeeNames(evidence, missed);
  if (decision === undefined || decision.allowed) throw cause;
  trace.denied ??= `the key is not there, and of s3:ListBucket: ${explain(decision)}`;
  throw new S3Error("AccessDenied", {}, { cause });
}

/** A key whose current version is a delete marker is missing too, whatever else an answer calls it. */
function isOfMissingKey(cause: unknown): boolean {
  if (!(cause instanceof S3Error)) return false;
  return cause.code === "NoSuchKey" || isOfMissingKey(cause.cause);
}

/** Whether the caller may list the bucket in which a key was missed. */
async function maySeeNames(
  evidence: Evidence,
  { foreign, ...attempted }: Missed,
): Promise<Decision | undefined> {
  const resource = foreign?.resource.split("/", 1)[0] ?? attempted.request.bucket;
  if (resource === undefined) return undefined;
  const grants = [{ action: "s3:ListBucket", resource }] as const;
  const [decision] = await judge(evidence, { ...attempted, grants });
  return decision;
}
