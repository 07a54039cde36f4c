import type { Lookup } from "#access/condition-keys.ts";
import { childText } from "#base/xml.ts";
import type { Tag } from "#object/attributes.ts";
import { unquote } from "#object/conditions.ts";
import type { S3Request } from "#s3/request.ts";
import { documentOf } from "#s3/request.ts";
import { isPresigned } from "#s3/signature/presigned.ts";
import { readTagging, readTagHeader } from "#s3/tags.ts";

/** What conditions of policies may look at, besides the principal. */
export interface ConditionContext {
  readonly request: S3Request;
  readonly operation: string;
  /** That the grant is about. */
  readonly versionId: string | undefined;
  /** Of the object that the grant is about, when a policy asks for them. */
  readonly objectTags: readonly Tag[] | undefined;
}

const EXISTING_TAG = "s3:ExistingObjectTag/";
const REQUEST_TAG = "s3:RequestObjectTag/";
const HEADER = "s3:x-amz-";

/**
 * Answers what a request gives for a condition key.
 *
 * Spec: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
export function conditionValues(context: ConditionContext): Lookup {
  // Many statements of one policy ask for the same.
  const asked = new Map<string, ReturnType<Lookup>>();
  return (key) => {
    if (asked.has(key)) return asked.get(key);
    const values = valuesOf(context, key);
    asked.set(key, values);
    return values;
  };
}

function valuesOf(context: ConditionContext, key: string): readonly string[] | undefined {
  const plain = PLAIN[key];
  if (plain !== undefined) return listed(plain(context));
  if (key.startsWith(HEADER)) return listed(context.request.headers[key.slice("s3:".length)]);
  if (key.startsWith(EXISTING_TAG)) {
    return listed(tagValue(context.objectTags ?? [], key.slice(EXISTING_TAG.length)));
  }
  if (key.startsWith(REQUEST_TAG)) {
    return listed(tagValue(requestTags(context), key.slice(REQUEST_TAG.length)));
  }
  return undefined;
}

type Reader = (context: ConditionContext) => string | readonly string[] | undefined;

const PLAIN: Readonly<Record<string, Reader>> = {
  "aws:CurrentTime": ({ request }) => new Date(request.nowMs).toISOString(),
  "aws:EpochTime": ({ request }) => String(Math.floor(request.nowMs / 1_000)),
  "aws:Referer": ({ request }) => request.headers["referer"],
  "aws:SecureTransport": ({ request }) => String(request.secure),
  "aws:SourceIp": ({ request }) => request.remoteAddress,
  "aws:UserAgent": ({ request }) => request.headers["user-agent"],
  "s3:authType": ({ request }) => {
    if (request.signedMs === undefined) return undefined;
    if (request.form !== undefined) return "POST";
    return isPresigned(request.rawQuery) ? "REST-QUERY-STRING" : "REST-HEADER";
  },
  // A presigned URL is made without the body, and so is a form.
  "s3:x-amz-content-sha256": ({ request }) =>
    isPresigned(request.rawQuery) || request.form !== undefined
      ? "UNSIGNED-PAYLOAD"
      : request.headers["x-amz-content-sha256"],
  "s3:delimiter": ({ request }) => request.query.get("delimiter"),
  "s3:if-match": ({ request }) => etag(request.headers["if-match"]),
  "s3:if-none-match": ({ request }) => etag(request.headers["if-none-match"]),
  "s3:max-keys": ({ request }) => request.query.get("max-keys"),
  "s3:LocationConstraint": locationOf,
  "s3:ObjectCreationOperation": ({ operation }) => String(CREATING.has(operation)),
  "s3:prefix": ({ request }) => request.query.get("prefix"),
  "s3:RequestObjectTagKeys": (context) => requestTags(context).map(([name]) => name),
  "s3:signatureAge": ({ request: { nowMs, signedMs } }) =>
    signedMs === undefined ? undefined : String(Math.max(0, nowMs - signedMs)),
  "s3:signatureversion": ({ request }) =>
    request.signedMs === undefined ? undefined : "AWS4-HMAC-SHA256",
  "s3:VersionId": ({ versionId }) => versionId,
};

function etag(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unquote(text);
}

/** A whole object, and not a part or a session of an upload. */
const CREATING: ReadonlySet<string> = new Set([
  "PutObject",
  "PostObject",
  "CopyObject",
  "CompleteMultipartUpload",
]);

function locationOf({ request, operation }: ConditionContext): string | undefined {
  if (operation !== "CreateBucket" || request.document.trim() === "") return undefined;
  return childText(documentOf(request, "CreateBucketConfiguration"), "LocationConstraint");
}

function requestTags({ request, operation }: ConditionContext): readonly Tag[] {
  if (operation === "PutObjectTagging") return readTagging(documentOf(request, "Tagging"));
  return readTagHeader(request.headers["x-amz-tagging"]) ?? [];
}

function tagValue(tags: readonly Tag[], name: string): string | undefined {
  return tags.find(([key]) => key === name)?.[1];
}

function listed(value: string | readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? [value] : value;
}
