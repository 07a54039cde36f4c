import type { ObjectInfo } from "#object/attributes.ts";
import type { UploadInfo } from "#object/engine.ts";
import { type Expiry, soonestAbort, soonestExpiry } from "#object/lifecycle-due.ts";
import type { OpenBucket, Services } from "#s3/operation.ts";

/**
 * The header that says when a lifecycle rule will expire an object, and which; empty when none will.
 * `byVersion`: it was asked for by its version id, and then none is told.
 *
 * Observed: 2026-02-21, as others recorded AWS: not even of the current version.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (x-amz-expiration)
 */
export function expirationHeader(
  { lifecycleDayMs }: Services,
  { settings }: OpenBucket,
  { info, byVersion = false }: { readonly info: ObjectInfo; readonly byVersion?: boolean },
): Record<string, string> {
  const rules = settings.lifecycle;
  if (byVersion || rules.length === 0) return NONE;
  const expiry = soonestExpiry(rules, { ...info, tags: info.attributes.tags }, lifecycleDayMs);
  return expiry === undefined ? NONE : { "x-amz-expiration": written(expiry) };
}

/**
 * The headers that say when a lifecycle rule will abort an unfinished upload, and which; none when none will.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html (x-amz-abort-date)
 */
export function abortHeaders(
  { lifecycleDayMs }: Services,
  { settings }: OpenBucket,
  upload: Pick<UploadInfo, "key" | "initiatedMs">,
): Record<string, string> {
  const abort = soonestAbort(settings.lifecycle, upload, lifecycleDayMs);
  if (abort === undefined) return NONE;
  return {
    "x-amz-abort-date": new Date(abort.atMs).toUTCString(),
    "x-amz-abort-rule-id": encodeURIComponent(abort.ruleId),
  };
}

const NONE: Record<string, string> = {};

function written({ atMs, ruleId }: Expiry): string {
  const date = new Date(atMs).toUTCString();
  return `expiry-date="${date}", rule-id="${encodeURIComponent(ruleId)}"`;
}
