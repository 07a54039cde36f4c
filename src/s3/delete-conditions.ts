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
 * Differs: AWS knows a delete's conditions on time and size for directory buckets alone, and answers 501
 * elsewhere. As there, they hold for a key that is missing; and so for one whose current version is a
 * delete marker.
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

/**
 * Conditions are about the current version. In DeleteObjects the refusal is told of the one key.
 *
 * Observed: 2026-03-06, as others measured AWS: DeleteObject with If-Match and a version id is 501
 * NotImplemented, whichever version it is; here so it is of times and sizes too.
 * Fails: NotImplemented.
 */
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
