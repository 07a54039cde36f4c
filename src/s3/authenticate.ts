import { ANONYMOUS, type Caller } from "#access/authorize.ts";
import { S3Error } from "#base/error.ts";
import type { FramedRequest } from "#s3/request.ts";
import { readClaim } from "#s3/signature/claim.ts";
import { type PayloadMode, readPayloadMode } from "#s3/signature/payload.ts";
import { type VerifiedSignature, verifyClaim } from "#s3/signature/verify.ts";

/** A key that may sign requests. */
interface Credential {
  readonly secret: string;
  readonly caller: Caller;
}

/** undefined for an access key that does not exist. */
export type FindCredential = (accessKeyId: string) => Promise<Credential | undefined>;

export interface Authenticated {
  readonly caller: Caller;
  readonly payload: PayloadMode | undefined;
  readonly verified: VerifiedSignature | undefined;
}

const SKEW_MS_MAX = 15 * 60 * 1_000;

/** Who made a request. Fails: InvalidAccessKeyId, and as the signature does. */
export async function authenticate(
  request: FramedRequest,
  find: FindCredential,
  nowMs: number,
): Promise<Authenticated> {
  const { method, path, rawQuery, sentHeaders } = request;
  const signed = { method, path, query: rawQuery, headers: sentHeaders };
  const claim = readClaim(signed);
  if (claim === undefined) {
    const text = request.headers["x-amz-content-sha256"];
    const payload = text === undefined ? undefined : readPayloadMode(text);
    return { caller: ANONYMOUS, payload, verified: undefined };
  }
  const credential = await find(claim.accessKeyId);
  if (credential === undefined) {
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: claim.accessKeyId });
  }
  const options = { secret: credential.secret, nowMs, skewMsMax: SKEW_MS_MAX };
  const verified = verifyClaim(signed, claim, options);
  return { caller: credential.caller, payload: claim.payload, verified };
}
