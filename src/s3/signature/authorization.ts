import { invalidArgument, S3Error } from "#base/error.ts";
import { memo } from "#base/memo.ts";
import type { Claim, SignedRequest } from "#s3/signature/claim.ts";
import { readPayloadMode, sigV4a } from "#s3/signature/payload.ts";
import { readCredential, readSignedHeaders } from "#s3/signature/scope.ts";
import { readSigningTime } from "#s3/signature/time.ts";

const SCHEME = "AWS4-HMAC-SHA256";

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, with or without the spaces.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * Fails: AccessDenied (no date), AuthorizationHeaderMalformed, InvalidArgument, InvalidRequest,
 * NotImplemented.
 */
export function readAuthorization(request: SignedRequest, authorization: string): Claim {
  const fields = readFields(authorization);
  const { accessKeyId, scope } = readCredential(fields.credential, malformed, request.services);
  const signedHeaders = readSignedHeaders(fields.signedHeaders);
  if (signedHeaders === undefined) throw malformed("the SignedHeaders are mal-formed.");
  const { headers } = request;
  const time = readSigningTime(headers["x-amz-date"], headers["date"]);
  if (!time.amzDate.startsWith(scope.date)) {
    throw malformed(
      `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${time.amzDate.slice(0, 8)}".`,
    );
  }
  return {
    kind: "header",
    accessKeyId,
    scope,
    signedHeaders,
    signature: fields.signature,
    timeMs: time.timeMs,
    amzDate: time.amzDate,
    expiresSeconds: undefined,
    sessionToken: headers["x-amz-security-token"] ?? headers["x-amz-s3session-token"],
    payload: readPayloadMode(required(headers["x-amz-content-sha256"])),
  };
}

interface Fields {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

const SIGNATURE = "Signature=";

/** The signature mostly stands last; what stands before it comes again with each request of a client's. */
function readFields(authorization: string): Fields {
  const comma = authorization.lastIndexOf(",");
  const last = authorization.slice(comma + 1).trimStart();
  const fields =
    comma > 0 && last.startsWith(SIGNATURE)
      ? { ...knownFields(authorization.slice(0, comma)), signature: valueIn(last) }
      : splitFields(authorization);
  const { credential, signedHeaders, signature } = fields;
  if (credential === "" || signedHeaders === "" || signature === "") {
    throw malformed(
      "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
    );
  }
  return fields;
}

function splitFields(authorization: string): Fields {
  checkScheme(authorization);
  let credential = "";
  let signedHeaders = "";
  let signature = "";
  for (const field of authorization.slice(SCHEME.length).split(",")) {
    const named = field.trimStart();
    if (named.startsWith("Credential=")) credential = valueIn(named);
    else if (named.startsWith("SignedHeaders=")) signedHeaders = valueIn(named);
    else if (named.startsWith(SIGNATURE)) signature = valueIn(named);
  }
  return { credential, signedHeaders, signature };
}

const knownFields = memo(splitFields);

function valueIn(named: string): string {
  return named.slice(named.indexOf("=") + 1).trimEnd();
}

function checkScheme(authorization: string): void {
  if (authorization.startsWith(`${SCHEME} `)) return;
  const scheme = authorization.split(" ", 1).join();
  if (scheme === "AWS4-ECDSA-P256-SHA256") throw sigV4a();
  throw invalidArgument("Authorization", scheme, "Unsupported Authorization Type");
}

function required(contentSha256: string | undefined): string {
  if (contentSha256 !== undefined) return contentSha256;
  const message = "Missing required header for this request: x-amz-content-sha256";
  throw new S3Error("InvalidRequest", {}, { message });
}

function malformed(detail: string): S3Error {
  const message = `The authorization header is malformed; ${detail}`;
  return new S3Error("AuthorizationHeaderMalformed", {}, { message });
}
