import { S3Error } from "#base/error.ts";

/** Preconditions on one object, as HTTP spells them; times in milliseconds, whole seconds. */
export interface Conditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly ifModifiedSinceMs?: number;
  readonly ifUnmodifiedSinceMs?: number;
}

/** What a client demands of the object that it deletes. */
export interface ConditionsOfDelete {
  readonly ifMatch?: string;
  /** The object, where there is one, must have been written in this second. */
  readonly modifiedSecondMs?: number;
  /** The object, where there is one, must have this size. */
  readonly sizeBytes?: number;
}

/** What conditions are held against. */
export interface Validators {
  readonly etag: string;
  readonly modifiedMs: number;
}

/** What a condition that does not hold is called in the answer. */
export interface ConditionNames {
  readonly ifMatch: string;
  readonly ifNoneMatch: string;
  readonly ifModifiedSince: string;
  readonly ifUnmodifiedSince: string;
}

export const PLAIN_NAMES: ConditionNames = {
  ifMatch: "If-Match",
  ifNoneMatch: "If-None-Match",
  ifModifiedSince: "If-Modified-Since",
  ifUnmodifiedSince: "If-Unmodified-Since",
};

export const COPY_SOURCE_NAMES: ConditionNames = {
  ifMatch: "x-amz-copy-source-If-Match",
  ifNoneMatch: "x-amz-copy-source-If-None-Match",
  ifModifiedSince: "x-amz-copy-source-If-Modified-Since",
  ifUnmodifiedSince: "x-amz-copy-source-If-Unmodified-Since",
};

export const RENAME_SOURCE_NAMES: ConditionNames = {
  ifMatch: "x-amz-rename-source-if-match",
  ifNoneMatch: "x-amz-rename-source-if-none-match",
  ifModifiedSince: "x-amz-rename-source-if-modified-since",
  ifUnmodifiedSince: "x-amz-rename-source-if-unmodified-since",
};

/** The name of the first condition that fails, in the order of RFC 9110, section 13.2.2. */
export function failedCondition(
  conditions: Conditions,
  { etag, modifiedMs }: Validators,
): keyof ConditionNames | undefined {
  const { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs } = conditions;
  const modifiedSecond = Math.floor(modifiedMs / 1_000) * 1_000;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) return "ifMatch";
  } else if (ifUnmodifiedSinceMs !== undefined && modifiedSecond > ifUnmodifiedSinceMs) {
    return "ifUnmodifiedSince";
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, etag)) return "ifNoneMatch";
  } else if (ifModifiedSinceMs !== undefined && modifiedSecond <= ifModifiedSinceMs) {
    return "ifModifiedSince";
  }
  return undefined;
}

/**
 * Whether an If-Range lets a range be answered: it names this very object, by its ETag or its time. Otherwise who
 * has a part of an older one gets the whole.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
 * Observed: 2025-07-12, as others tried it against AWS: so it is there, undocumented.
 */
export function letsRange(ifRange: string | undefined, { etag, modifiedMs }: Validators): boolean {
  if (ifRange === undefined) return true;
  const text = ifRange.trim();
  // A weak tag promises nothing of bytes.
  if (text.startsWith("W/")) return false;
  if (unquote(text) === etag) return true;
  return Date.parse(text) === Math.floor(modifiedMs / 1_000) * 1_000;
}

/** Fails: PreconditionFailed. For the source of a copy, where 304 has no meaning. */
export function requireConditions(
  conditions: Conditions,
  validators: Validators,
  names: ConditionNames,
): void {
  const failed = failedCondition(conditions, validators);
  if (failed !== undefined) throw new S3Error("PreconditionFailed", { Condition: names[failed] });
}

/**
 * Conditions of a write, held against the current object, which may be missing.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * Fails: PreconditionFailed; NoSuchKey for If-Match on a missing key.
 */
export function requireForWrite(
  { ifMatch, ifNoneMatch }: WriteConditions,
  current: Validators | undefined,
  key: string,
): void {
  if (ifMatch !== undefined) {
    if (current === undefined) throw new S3Error("NoSuchKey", { Key: key });
    if (!matches(ifMatch, current.etag)) {
      throw new S3Error("PreconditionFailed", { Condition: PLAIN_NAMES.ifMatch });
    }
  }
  if (ifNoneMatch !== undefined && current !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: PLAIN_NAMES.ifNoneMatch });
  }
}

/**
 * Conditions of a delete, held against the current object, which may be missing: where versions are
 * kept, it is when the current version is a delete marker. A time and a size are then as good as any.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 * Observed: 2026-08-20, as others measured AWS: a delete with If-Match, `*` too, of a key that is
 * missing, or whose current version is a delete marker, is 404 NoSuchKey, where AWS's guide says 412.
 * Fails: PreconditionFailed; NoSuchKey for If-Match on a missing key.
 */
export function requireForDelete(
  { ifMatch, modifiedSecondMs, sizeBytes }: ConditionsOfDelete,
  current: (Validators & { readonly sizeBytes: number }) | undefined,
  key: string,
): void {
  if (ifMatch !== undefined) requireForWrite({ ifMatch }, current, key);
  if (current === undefined) return;
  const second = Math.floor(current.modifiedMs / 1_000) * 1_000;
  if (modifiedSecondMs !== undefined && modifiedSecondMs !== second) {
    throw new S3Error("PreconditionFailed", { Condition: "x-amz-if-match-last-modified-time" });
  }
  if (sizeBytes !== undefined && sizeBytes !== current.sizeBytes) {
    throw new S3Error("PreconditionFailed", { Condition: "x-amz-if-match-size" });
  }
}

/**
 * Conditions on what a rename replaces. A missing destination fails those that speak of one.
 * Fails: PreconditionFailed.
 */
export function requireForRename(conditions: Conditions, current: Validators | undefined): void {
  const failed =
    current === undefined ? failedOfMissing(conditions) : failedCondition(conditions, current);
  if (failed !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: PLAIN_NAMES[failed] });
  }
}

function failedOfMissing({ ifMatch, ifModifiedSinceMs }: Conditions) {
  if (ifMatch !== undefined) return "ifMatch";
  return ifModifiedSinceMs === undefined ? undefined : "ifModifiedSince";
}

/** `ifNoneMatch` can only be `*`: the object must not exist. */
export interface WriteConditions {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
}

/** Whether a list of entity tags, or `*`, names this one. Clients send them with and without quotes. */
function matches(list: string, etag: string): boolean {
  if (list.trim() === "*") return true;
  return list.split(",").some((item) => unquote(item) === etag);
}

/** An entity tag without weakness and quotes. */
export function unquote(text: string): string {
  const trimmed = text.trim().replace(/^W\//, "");
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"')
    ? trimmed.slice(1, -1)
    : trimmed;
}
