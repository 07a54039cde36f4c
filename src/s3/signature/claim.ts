import { invalidArgument, S3Error } from "#base/error.ts";
import { readAuthorization } from "#s3/signature/authorization.ts";
import type { PayloadMode } from "#s3/signature/payload.ts";
import { queryAuthOf, readPresigned } from "#s3/signature/presigned.ts";
import type { Scope } from "#s3/signature/scope.ts";

/** What a signature covers of a request. */
export interface SignedRequest {
  readonly method: string;
  /** The raw path exactly as it stood in the request target. */
  readonly path: string;
  /** The raw query exactly as it stood in the request target, without the "?"; "" when absent. */
  readonly query: string;
  /**
   * Names in lower case; values as latin1 strings of the bytes received, those of a repeated
   * header joined by "," without a space.
   */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** For which a signature in a header may be; those of S3 when absent. */
  readonly services?: readonly string[];
}

/** Who a request says it is from. Nothing of it is true before `verifyClaim`. */
export interface Claim {
  readonly kind: "header" | "presigned";
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** In lower case, in the order signed. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timeMs: number;
  /** The time as it stands in the string to sign. */
  readonly amzDate: string;
  /** Of a presigned request: 1 to 604,800. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
  readonly payload: PayloadMode;
}

/**
 * The claim a request carries, in its headers or its query; undefined when it carries none and is
 * anonymous.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * Fails: AccessDenied, AuthorizationHeaderMalformed, AuthorizationQueryParametersError,
 * InvalidArgument, InvalidRequest (Signature Version 2), NotImplemented (Signature Version 4A).
 */
export function readClaim(request: SignedRequest): Claim | undefined {
  const authorization = request.headers["authorization"];
  const queryAuth = queryAuthOf(request.query);
  if (authorization !== undefined && queryAuth !== undefined) throw twoMechanisms(authorization);
  if (queryAuth === "v2" || authorization?.startsWith("AWS ")) throw signatureV2();
  if (queryAuth === "v4") return readPresigned(request);
  return authorization === undefined ? undefined : readAuthorization(request, authorization);
}

/** The value is cut to its scheme: what follows may be a secret of somebody else's. */
export function twoMechanisms(authorization: string): S3Error {
  return invalidArgument(
    "Authorization",
    authorization.split(" ", 1).join(),
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
  );
}

export function signatureV2(): S3Error {
  const message =
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. " +
    'boto3: Config(signature_version="s3v4"); ' +
    "AWS CLI v1: aws configure set default.s3.signature_version s3v4.";
  return new S3Error("InvalidRequest", {}, { message });
}
