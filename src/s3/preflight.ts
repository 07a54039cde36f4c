import { type ErrorDetail, invalidArgument, S3Error } from "#base/error.ts";
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
 * Observed: 2023-07-31, as others recorded AWS: a bucket that is not there, or has no rules, is told before a method
 * that is missing, and by AccessForbidden.
 * Fails: BadRequest (no origin, or no method that S3 knows), AccessForbidden (no rule allows it).
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
  if (bucket === undefined) throw invalidArgument("Origin", origin, "Name a bucket.");
  const ofBucket = { Method: method ?? "OPTIONS", ResourceType: "BUCKET" };
  const text = await rulesOrForbidden(catalog, bucket, ofBucket);
  if (text === undefined) throw forbidden("CORS is not enabled for this bucket.", ofBucket);
  if (method === undefined || !METHODS.includes(method)) {
    throw badRequest(`Invalid Access-Control-Request-Method: ${method ?? "null"}`);
  }
  const allowed = corsHeaders(text, { origin, method, headers: askedHeaders(request) });
  if (allowed === undefined) {
    throw forbidden(
      "This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      { Method: method, ResourceType: request.key === undefined ? "BUCKET" : "OBJECT" },
    );
  }
  return empty(200, allowed);
}

function badRequest(message: string): S3Error {
  return new S3Error("BadRequest", {}, { message });
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors-troubleshooting.html */
function forbidden(problem: string, detail: ErrorDetail<"AccessForbidden">): S3Error {
  return new S3Error("AccessForbidden", detail, { message: `CORSResponse: ${problem}` });
}

/** In lower case. */
function askedHeaders({ headers }: FramedRequest): readonly string[] {
  const asked = (headers["access-control-request-headers"] ?? "").split(",");
  return asked.map((name) => name.trim().toLowerCase()).filter((name) => name !== "");
}

/**
 * What is added to the answer of a request that a browser sent for a page of another origin.
 *
 * Observed: 2025-07-07, as others recorded AWS: where the request itself says what a preflight would, that is what
 * is looked for.
 */
export function crossOriginHeaders(
  request: FramedRequest,
  catalog: Catalog,
): Soon<Record<string, string>> {
  const { headers, bucket } = request;
  const origin = headers["origin"];
  if (origin === undefined || bucket === undefined) return {};
  const method = headers["access-control-request-method"] ?? request.method;
  return allowedOrNothing(catalog, bucket, { origin, method, headers: askedHeaders(request) });
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

/** Fails: AccessForbidden. */
async function rulesOrForbidden(
  catalog: Catalog,
  bucket: string,
  detail: ErrorDetail<"AccessForbidden">,
): Promise<string | undefined> {
  try {
    return await rulesOf(catalog, bucket);
  } catch (cause) {
    if (!(cause instanceof S3Error) || cause.code !== "NoSuchBucket") throw cause;
    throw forbidden("Bucket not found", detail);
  }
}

/** The document with the bucket's rules. Fails: NoSuchBucket. */
async function rulesOf(catalog: Catalog, bucket: string): Promise<string | undefined> {
  return await catalog.document(await catalog.bucket(bucketName(bucket)), "cors");
}
