import { invalidArgument, S3Error } from "#base/error.ts";
import type { Claim, SignedRequest } from "#s3/signature/claim.ts";
import {
  type PayloadMode,
  readPayloadMode,
  sigV4a,
  UNSIGNED_PAYLOAD,
} from "#s3/signature/payload.ts";
import { readCredential, readSignedHeaders } from "#s3/signature/scope.ts";
import { readAmzDate } from "#s3/signature/time.ts";

const EXPIRES_SECONDS_MAX = 604_800;
const REQUIRED =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

const V4 = /(?:^|&)X-Amz-(?:Algorithm|Credential|Signature)(?:[=&]|$)/;
const V2 = /(?:^|&)(?:AWSAccessKeyId|Signature)(?:[=&]|$)/;

/** Which signature, if any, a query carries. A part of one is enough: it is no anonymous request. */
export function queryAuthOf(query: string): "v2" | "v4" | undefined {
  if (query === "") return undefined;
  if (V4.test(query)) return "v4";
  return V2.test(query) ? "v2" : undefined;
}

/** Whether it is the query that says who asks. */
export function isPresigned(query: string): boolean {
  return queryAuthOf(query) === "v4";
}

/**
 * Reads the claim of a presigned URL.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * Fails: AuthorizationQueryParametersError, InvalidArgument, NotImplemented.
 */
export function readPresigned(request: SignedRequest): Claim {
  const values = readParameters(request.query);
  checkAlgorithm(values.get("x-amz-algorithm"));
  const required = (name: string) => values.get(name) || fail(REQUIRED);
  const { accessKeyId, scope } = readCredential(required("x-amz-credential"), (detail) =>
    refusal(`Error parsing the X-Amz-Credential parameter; ${detail}`),
  );
  const signature = required("x-amz-signature");
  const amzDate = required("x-amz-date");
  const time =
    readAmzDate(amzDate) ??
    fail(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  const signedHeaders =
    readSignedHeaders(required("x-amz-signedheaders")) ??
    fail("X-Amz-SignedHeaders is mal-formed.");
  const expiresSeconds = readExpires(required("x-amz-expires"));
  if (!amzDate.startsWith(scope.date)) {
    fail(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`,
    );
  }
  return {
    kind: "presigned",
    accessKeyId,
    scope,
    signedHeaders,
    signature,
    timeMs: time.timeMs,
    amzDate,
    expiresSeconds,
    sessionToken: values.get("x-amz-security-token") ?? values.get("x-amz-s3session-token"),
    payload: readPayload(
      values.get("x-amz-content-sha256"),
      request.headers["x-amz-content-sha256"],
      signedHeaders,
    ),
  };
}

/** The X-Amz- parameters, names in lower case, values decoded; of a repeated one the first. */
function readParameters(query: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of query.split("&")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).toLowerCase();
    if (!name.startsWith("x-amz-") || values.has(name)) continue;
    values.set(name, decode(pair.slice(at + 1)));
  }
  return values;
}

function decode(value: string): string {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return fail("A query parameter is not percent-encoded UTF-8.");
  }
}

function checkAlgorithm(algorithm: string | undefined): void {
  if (algorithm === "AWS4-HMAC-SHA256") return;
  if (algorithm === "AWS4-ECDSA-P256-SHA256") throw sigV4a();
  fail(algorithm === undefined ? REQUIRED : 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
}

function readExpires(text: string): number {
  if (!/^-?\d{1,18}$/.test(text)) fail("X-Amz-Expires should be a number");
  const seconds = Number(text);
  if (seconds < 0) fail("X-Amz-Expires must be non-negative");
  // Unverified: the message for 0, which AWS documents as out of range.
  if (seconds < 1) fail("X-Amz-Expires must be at least 1 second");
  if (seconds > EXPIRES_SECONDS_MAX) {
    fail(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  return seconds;
}

/**
 * The body is unsigned unless the query, or a signed header, gives its digest.
 * Observed: 2026-02-21, as others recorded AWS: an x-amz-content-sha256 header that was not signed is no offence,
 * where other headers of its kind are.
 * Unverified: that AWS keeps it out of the canonical request too.
 * Differs: AWS does not decode the aws-chunked body of a presigned request but compares the word
 * STREAMING-… with the digest of the frames, after reading them all. We refuse it at once.
 */
function readPayload(
  inQuery: string | undefined,
  inHeader: string | undefined,
  signedHeaders: readonly string[],
): PayloadMode {
  const text = inQuery ?? inHeader;
  if (text === undefined) return UNSIGNED_PAYLOAD;
  const mode = readPayloadMode(text);
  if (mode.kind === "chunked") {
    throw invalidArgument(
      "x-amz-content-sha256",
      text,
      "The body of a presigned request cannot be sent in aws-chunked encoding.",
    );
  }
  const signed = inQuery !== undefined || signedHeaders.includes("x-amz-content-sha256");
  return signed ? mode : UNSIGNED_PAYLOAD;
}

function fail(message: string): never {
  throw refusal(message);
}

function refusal(message: string): S3Error {
  return new S3Error("AuthorizationQueryParametersError", {}, { message });
}
