import { invalidArgument, S3Error } from "#base/error.ts";
import type { DeleteConditions } from "#object/engine.ts";
import { readHttpDate } from "#s3/object-headers.ts";

/** Conditions of a delete as they were sent: in headers, or in the elements of DeleteObjects. */
interface SentConditions {
  readonly ifMatch: string | undefined;
  readonly modified: string | undefined;
  readonly size: string | undefined;
}

/** Whichever of them the answer speaks of. */
interface ConditionNames {
  readonly modified: string;
  readonly size: string;
}

/**
 * What must be true of an object for it to be deleted. A condition that cannot be understood refuses the
 * delete.
 *
 * Differs: on AWS time and size are known for directory buckets alone.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * Fails: InvalidArgument.
 */
export function readDeleteConditions(
  { ifMatch, modified, size }: SentConditions,
  names: ConditionNames,
): DeleteConditions {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(modified === undefined ? {} : { modifiedSecondMs: readSecond(modified, names.modified) }),
    ...(size === undefined ? {} : { sizeBytes: readSize(size, names.size) }),
  };
}

/** Fails: NotImplemented: conditions are about the current version. */
export function refuseVersionCondition(
  conditions: DeleteConditions,
  versionId: string | undefined,
): void {
  if (versionId === undefined || Object.keys(conditions).length === 0) return;
  const message = "Conditions of a delete are not implemented together with a version id.";
  throw new S3Error("NotImplemented", { Operation: "If-Match" }, { message });
}

function readSecond(text: string, name: string): number {
  const ms = readHttpDate(text);
  if (ms === undefined) throw invalidArgument(name, text, "The time is not one.");
  return Math.floor(ms / 1_000) * 1_000;
}

function readSize(text: string, name: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidArgument(name, text, "The size must be a number of bytes.");
}
