import { invalidArgument, S3Error } from "#base/error.ts";
import { type Claim, signatureV2 } from "#s3/signature/claim.ts";
import { sigV4a, UNSIGNED_PAYLOAD } from "#s3/signature/payload.ts";
import { readCredential } from "#s3/signature/scope.ts";
import { signingKey } from "#s3/signature/signing-key.ts";
import { checkNotEarly, readAmzDate } from "#s3/signature/time.ts";
import { equalSignatures, hexBytes, type VerifyOptions } from "#s3/signature/verify.ts";

/** Who a form says its policy is from. Nothing of it is true before `verifyForm`. */
export interface FormClaim
  extends Pick<
    Claim,
    "accessKeyId" | "scope" | "signature" | "timeMs" | "amzDate" | "sessionToken" | "payload"
  > {
  readonly kind: "form";
  /** As it stands in its field: this is what is signed. */
  readonly policy: string;
}

type Fields = ReadonlyMap<string, string>;

/** A form that has one of them must have all. */
const FIELDS = [
  ["policy", "policy"],
  ["x-amz-algorithm", "X-Amz-Algorithm"],
  ["x-amz-credential", "X-Amz-Credential"],
  ["x-amz-date", "X-Amz-Date"],
  ["x-amz-signature", "X-Amz-Signature"],
] as const;
const CREDENTIAL = "x-amz-credential";

/**
 * The claim in a form's fields; undefined when there is none, and it is an anonymous one.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
 * Unverified: as versity/versitygw has had it of AWS since 2026-03-28: all fields are needed when there is one, and a bad
 * credential is InvalidArgument.
 * Fails: InvalidArgument, InvalidRequest (Signature Version 2), NotImplemented (Signature Version 4A).
 */
export function readFormClaim(fields: Fields): FormClaim | undefined {
  if (fields.has("awsaccesskeyid") || fields.has("signature")) throw signatureV2();
  if (!FIELDS.some(([field]) => fields.has(field))) return undefined;
  for (const [field, shown] of FIELDS) {
    if (!fields.has(field)) throw missingField(shown);
  }
  const given = (name: (typeof FIELDS)[number][0]) => fields.get(name) ?? "";
  requireAlgorithm(given("x-amz-algorithm"));
  const credential = given(CREDENTIAL);
  const { accessKeyId, scope } = readCredential(credential, (detail) =>
    invalidArgument(CREDENTIAL, credential, detail),
  );
  const amzDate = given("x-amz-date");
  const time = readAmzDate(amzDate);
  if (time === undefined) {
    const message = `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`;
    throw invalidArgument("x-amz-date", amzDate, message);
  }
  if (!amzDate.startsWith(scope.date)) {
    const message = `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`;
    throw invalidArgument(CREDENTIAL, credential, message);
  }
  return {
    ...{ kind: "form", accessKeyId, scope, signature: given("x-amz-signature") },
    ...{ timeMs: time.timeMs, amzDate, sessionToken: fields.get("x-amz-security-token") },
    ...{ payload: UNSIGNED_PAYLOAD, policy: given("policy") },
  };
}

/**
 * Checks that the holder of the secret signed the policy. For how long that is good the policy says itself.
 *
 * Unverified: for how long after its X-Amz-Date AWS takes a form. Others hold that it is an hour, and the example of AWS
 * itself is of a whole day; here it is until its policy ends.
 * Fails: AccessDenied (not valid yet), SignatureDoesNotMatch.
 */
export function verifyForm(claim: FormClaim, options: VerifyOptions): undefined {
  checkNotEarly(claim, options);
  const { key, remember } = signingKey(options.secret, claim.scope);
  const { accessKeyId, policy, signature } = claim;
  if (!equalSignatures(key.hex(policy), signature)) {
    throw new S3Error("SignatureDoesNotMatch", {
      AWSAccessKeyId: accessKeyId,
      StringToSign: policy,
      SignatureProvided: signature,
      StringToSignBytes: hexBytes(Buffer.from(policy)),
    });
  }
  remember?.();
}

/** What AWS says of a field that must be there. */
export function missingField(name: string): S3Error {
  const message = `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`;
  return invalidArgument(name, "", message);
}

/** Fails: InvalidArgument, NotImplemented. */
function requireAlgorithm(name: string): void {
  if (name === "AWS4-HMAC-SHA256") return;
  if (name === "AWS4-ECDSA-P256-SHA256") throw sigV4a();
  const message = 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"';
  throw invalidArgument("x-amz-algorithm", name, message);
}
