import { hash, timingSafeEqual } from "node:crypto";
import { S3Error } from "#base/error.ts";
import type { HmacSha256 } from "#base/hmac.ts";
import { canonicalRequest } from "#s3/signature/canonical.ts";
import type { Claim, SignedRequest } from "#s3/signature/claim.ts";
import type { PayloadMode } from "#s3/signature/payload.ts";
import { signingKey } from "#s3/signature/signing-key.ts";
import { checkExpiry, checkSkew } from "#s3/signature/time.ts";

/** What a claim is judged by. */
export interface VerifyOptions {
  /** The secret of the claim's access key. */
  readonly secret: string;
  readonly nowMs: number;
  /** How far the signer's clock may be off. AWS: 15 minutes. */
  readonly skewMsMax: number;
}

/** A true signature, and what the signatures of an aws-chunked body's chunks go on from. */
export interface VerifiedSignature {
  readonly accessKeyId: string;
  readonly signingKey: HmacSha256;
  readonly seedSignature: string;
  readonly amzDate: string;
  /** `20130524/us-east-1/s3/aws4_request`. */
  readonly scope: string;
  readonly payload: PayloadMode;
  readonly canonicalRequest: string;
}

/**
 * Checks that the holder of the secret signed this request, and lately. The body is not looked at:
 * whoever reads it has to hold it to `payload`.
 *
 * The request target is taken as it was sent; when that does not match and AWS would spell it
 * otherwise, in that spelling too, for clients whose HTTP stack rewrites what they signed.
 *
 * Fails: AccessDenied (expired, not valid yet, headers not signed), RequestTimeTooSkewed,
 * SignatureDoesNotMatch.
 */
export function verifyClaim(
  request: SignedRequest,
  claim: Claim,
  options: VerifyOptions,
): VerifiedSignature {
  const { amzDate, expiresSeconds, scope, timeMs } = claim;
  if (expiresSeconds === undefined) checkSkew(claim, options);
  else checkExpiry({ amzDate, expiresSeconds, timeMs }, options);
  checkHeadersSigned(request, claim);
  const { key, remember } = signingKey(options.secret, scope);
  const raw = canonicalRequest(request, claim, "raw");
  const matched = isSignedBy(key, claim, raw) ? raw : matchNormal(request, claim, { key, raw });
  remember?.();
  return {
    accessKeyId: claim.accessKeyId,
    signingKey: key,
    seedSignature: claim.signature,
    amzDate,
    scope: scope.text,
    payload: claim.payload,
    canonicalRequest: matched,
  };
}

const SIGNATURE_CHARS = 64;
const ours = Buffer.alloc(SIGNATURE_CHARS);
const theirs = Buffer.alloc(SIGNATURE_CHARS);

/** Compares without telling by its time where two signatures, of 64 hex digits, differ. */
export function equalSignatures(a: string, b: string): boolean {
  if (a.length !== SIGNATURE_CHARS || b.length !== SIGNATURE_CHARS) return false;
  ours.write(a, "latin1");
  theirs.write(b, "latin1");
  return timingSafeEqual(ours, theirs);
}

/** Fails: SignatureDoesNotMatch. Says what was signed here, so that a signer can be mended. */
export function signatureMismatch(
  signature: Pick<VerifiedSignature, "accessKeyId" | "canonicalRequest">,
  stringToSign: string,
  provided: string,
): S3Error {
  const canonical = Buffer.from(signature.canonicalRequest, "latin1");
  return new S3Error("SignatureDoesNotMatch", {
    AWSAccessKeyId: signature.accessKeyId,
    StringToSign: stringToSign,
    SignatureProvided: provided,
    StringToSignBytes: hexBytes(Buffer.from(stringToSign, "latin1")),
    CanonicalRequest: canonical.toString("utf8"),
    CanonicalRequestBytes: hexBytes(canonical),
  });
}

/** In hexadecimal, a space between them. */
export function hexBytes(bytes: Buffer): string {
  return bytes.toString("hex").replace(/..(?=.)/g, "$& ");
}

/** Fails: SignatureDoesNotMatch. */
function matchNormal(
  request: SignedRequest,
  claim: Claim,
  { key, raw }: { readonly key: HmacSha256; readonly raw: string },
): string {
  const normal = canonicalRequest(request, claim, "normal");
  if (normal !== raw && isSignedBy(key, claim, normal)) return normal;
  const shown = { accessKeyId: claim.accessKeyId, canonicalRequest: raw };
  throw signatureMismatch(shown, stringToSign(claim, raw), claim.signature);
}

const ABOVE_ASCII = /[\x80-\xff]/;

function isSignedBy(key: HmacSha256, claim: Claim, canonical: string): boolean {
  const signature = key.hex(stringToSign(claim, canonical));
  return equalSignatures(signature, claim.signature);
}

function stringToSign({ amzDate, scope }: Claim, canonical: string): string {
  // A string is hashed as UTF-8: the same bytes, and half the cost, when there are none above ASCII.
  const bytes = ABOVE_ASCII.test(canonical) ? Buffer.from(canonical, "latin1") : canonical;
  const digest = hash("sha256", bytes, "hex");
  return `AWS4-HMAC-SHA256\n${amzDate}\n${scope.text}\n${digest}`;
}

/**
 * The host and all x-amz- headers must be signed, else somebody on the way could turn an upload
 * into a copy. Not x-amz-content-sha256, whose value every signature covers.
 *
 * Unverified: AWS is seen to let x-amz-content-sha256 pass in presigned requests; that it does so
 * in the others too is our reading.
 */
function checkHeadersSigned({ headers }: SignedRequest, { signedHeaders }: Claim): void {
  const missing: string[] = signedHeaders.includes("host") ? [] : ["host"];
  for (const name of Object.keys(headers)) {
    if (!name.startsWith("x-amz-") || name === "x-amz-content-sha256") continue;
    if (headers[name] !== undefined && !signedHeaders.includes(name)) missing.push(name);
  }
  if (missing.length === 0) return;
  const message = "There were headers present in the request which were not signed";
  throw new S3Error("AccessDenied", { HeadersNotSigned: missing.join(", ") }, { message });
}
