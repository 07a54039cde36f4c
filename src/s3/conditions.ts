import { S3Error } from "#base/error.ts";
import type { Conditions, WriteConditions } from "#object/conditions.ts";
import { readHttpDate } from "#s3/object-headers.ts";
import type { Headers, S3Request } from "#s3/request.ts";

interface ConditionHeaders {
  readonly match: string;
  readonly noneMatch: string;
  readonly modifiedSince: string;
  readonly unmodifiedSince: string;
}

const PLAIN = conditionHeaders("");
const NONE: Conditions = {};

/** The names of condition headers behind a prefix, as of the source of a copy: `x-amz-copy-source-`. */
export function conditionHeaders(prefix: string): ConditionHeaders {
  return {
    match: `${prefix}if-match`,
    noneMatch: `${prefix}if-none-match`,
    modifiedSince: `${prefix}if-modified-since`,
    unmodifiedSince: `${prefix}if-unmodified-since`,
  };
}

/**
 * Spec: https://www.rfc-editor.org/rfc/rfc2616#section-14.25
 * Observed: 2026-02-21, as others recorded AWS: a time that is yet to come is no If-Modified-Since.
 */
export function readConditions(
  { headers, nowMs }: Pick<S3Request, "headers" | "nowMs">,
  names = PLAIN,
): Conditions {
  const ifMatch = headers[names.match];
  const ifNoneMatch = headers[names.noneMatch];
  const ifModifiedSinceMs = notLater(readHttpDate(headers[names.modifiedSince]), nowMs);
  const ifUnmodifiedSinceMs = readHttpDate(headers[names.unmodifiedSince]);
  if ((ifMatch ?? ifNoneMatch ?? ifModifiedSinceMs ?? ifUnmodifiedSinceMs) === undefined)
    return NONE;
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifModifiedSinceMs === undefined ? {} : { ifModifiedSinceMs }),
    ...(ifUnmodifiedSinceMs === undefined ? {} : { ifUnmodifiedSinceMs }),
  };
}

function notLater(ms: number | undefined, nowMs: number): number | undefined {
  return ms !== undefined && ms > nowMs ? undefined : ms;
}

/**
 * Conditions of a write: an ETag for If-Match, `*` alone for If-None-Match.
 *
 * Spec: CoreWeave AI Object Storage, "Conditional writes".
 * Observed: 2026-02-21, as others recorded AWS: both at once are not implemented.
 * Fails: InvalidRequest (If-None-Match with an ETag), NotImplemented (what writes do not know).
 */
export function readWriteConditions(headers: Headers): WriteConditions {
  const { [PLAIN.match]: ifMatch, [PLAIN.noneMatch]: ifNoneMatch } = headers;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    const message = "Multiple conditional request headers present in the request";
    throw new S3Error("NotImplemented", { Operation: "If-Match,If-None-Match" }, { message });
  }
  for (const name of ["if-modified-since", "if-unmodified-since"]) {
    if (headers[name] === undefined) continue;
    const message = `The header ${name} is not implemented for writes. Use If-Match or If-None-Match.`;
    throw new S3Error("NotImplemented", { Operation: name }, { message });
  }
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") {
    const message = 'If-None-Match on a write accepts only the value "*".';
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: "*" as const }),
  };
}
