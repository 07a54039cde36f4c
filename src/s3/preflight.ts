import { invalidArgument, S3Error } from "#base/error.ts";
import type { HttpReply } from "#base/http.ts";
import type { Soon } from "#base/soon.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { bucketName } from "#object/name.ts";
import { type CorsAsk, corsHeaders } from "#s3/cors.ts";
import { empty } from "#s3/reply.ts";
import type { FramedRequest } from "#s3/request.ts";

/**
 * A browser's question whether it may send a request. It carries no credentials, and the answer tells
 * nothing but what the bucket's CORS rules allow.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 * Fails: BadRequest (no origin or method), AccessForbidden (no rule allows it), NoSuchBucket.
 */
export async function answerPreflight(
  request: FramedRequest,
  catalog: Catalog,
): Promise<HttpReply> {
  const { headers, bucket } = request;
  const origin = headers["origin"];
  const method = headers["access-control-request-method"];
  if (origin === undefined || method === undefined) {
    const message = "Insufficient information. Origin request header needed.";
    throw new S3Error("BadRequest", {}, { message });
  }
  if (bucket === undefined) throw invalidArgument("Origin", origin, "Name a bucket.");
  const asked = (headers["access-control-request-headers"] ?? "").split(",");
  const names = asked.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
  const allowed = await allowedBy(catalog, bucket, { origin, method, headers: names });
  if (allowed === undefined) {
    const message =
      "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";
    throw new S3Error("AccessForbidden", {}, { message });
  }
  return empty(200, allowed);
}

/** What is added to the answer of a request that a browser sent for a page of another origin. */
export function crossOriginHeaders(
  { headers, bucket, method }: FramedRequest,
  catalog: Catalog,
): Soon<Record<string, string>> {
  const origin = headers["origin"];
  if (origin === undefined || bucket === undefined) return {};
  return allowedOrNothing(catalog, bucket, { origin, method, headers: [] });
}

async function allowedOrNothing(
  catalog: Catalog,
  bucket: string,
  ask: CorsAsk,
): Promise<Record<string, string>> {
  try {
    return (await allowedBy(catalog, bucket, ask)) ?? {};
  } catch (cause) {
    // The request itself will say that there is no such bucket.
    if (cause instanceof S3Error) return {};
    throw cause;
  }
}

async function allowedBy(
  catalog: Catalog,
  bucket: string,
  ask: CorsAsk,
): Promise<Record<string, string> | undefined> {
  const text = await catalog.document(await catalog.bucket(bucketName(bucket)), "cors");
  return text === undefined ? undefined : corsHeaders(text, ask);
}
