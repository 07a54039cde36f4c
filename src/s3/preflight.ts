import { invalidArgument, S3Error } from "#base/error.ts";
import type { HttpReply } from "#base/http.ts";
import type { Soon } from "#base/soon.ts";
import type { Catalog } from "#catalog/catalog.ts";
import { bucketName } from "#object/name.ts";
import { type CorsAsk, corsHeaders, METHODS } from "#s3/cors.ts";
import { empty } from "#s3/reply.ts";
import type { FramedRequest } from "#s3/request.ts";

/**
 * A browser's question whether it may send a request. It carries no credentials, and the answer tells
 * nothing but what the bucket's CORS rules allow.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
 * Fails: BadRequest (no origin, or no method that S3 knows), AccessForbidden (no rule allows it), NoSuchBucket.
 */
export async function answerPreflight(
  request: FramedRequest,
  catalog: Catalog,
): Promise<HttpReply> {
  const { headers, bucket } = request;
  const origin = headers["origin"];
  const method = headers["access-control-request-method"];
  if (origin === undefined || origin === "") {
    throw badRequest("Insufficient information. Origin request header needed.");
  }
  if (method === undefined || !METHODS.includes(method)) {
    throw badRequest(`Invalid Access-Control-Request-Method: ${method ?? "null"}`);
  }
  if (bucket === undefined) throw invalidArgument("Origin", origin, "Name a bucket.");
  const asked = (headers["access-control-request-headers"] ?? "").split(",");
  const names = asked.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
  const text = await rulesOf(catalog, bucket);
  if (text === undefined) throw forbidden("CORS is not enabled for this bucket.");
  const allowed = corsHeaders(text, { origin, method, headers: names });
  if (allowed === undefined) {
    throw forbidden(
      "This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    );
  }
  return empty(200, allowed);
}

function badRequest(message: string): S3Error {
  return new S3Error("BadRequest", {}, { message });
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors-troubleshooting.html */
function forbidden(problem: string): S3Error {
  return new S3Error("AccessForbidden", {}, { message: `CORSResponse: ${problem}` });
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
    const text = await rulesOf(catalog, bucket);
    return text === undefined ? {} : (corsHeaders(text, ask) ?? {});
  } catch (cause) {
    // The request itself will say that there is no such bucket.
    if (cause instanceof S3Error) return {};
    throw cause;
  }
}

/** The document with the bucket's rules. Fails: NoSuchBucket. */
async function rulesOf(catalog: Catalog, bucket: string): Promise<string | undefined> {
  return await catalog.document(await catalog.bucket(bucketName(bucket)), "cors");
}
