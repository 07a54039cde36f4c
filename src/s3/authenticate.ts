import { timingSafeEqual } from "node:crypto";
import { ANONYMOUS_PRINCIPAL, type Principal } from "#access/principal.ts";
import { S3Error } from "#base/error.ts";
import { after, type Soon } from "#base/soon.ts";
import { type Credential, sessionDigestOf } from "#catalog/access-keys.ts";
import type { Known } from "#catalog/known.ts";
import type { BucketName } from "#object/name.ts";
import {
  type BucketSessions,
  isSessionKey,
  type OpenSession,
  type SessionMode,
  type StartedSession,
} from "#s3/bucket-session.ts";
import type { FormParts } from "#s3/form/form-reader.ts";
import type { FramedRequest } from "#s3/request.ts";
import { type Claim, readClaim, type SignedRequest, twoMechanisms } from "#s3/signature/claim.ts";
import { type FormClaim, readFormClaim, verifyForm } from "#s3/signature/form-claim.ts";
import { type PayloadMode, readPayloadMode } from "#s3/signature/payload.ts";
import { queryAuthOf } from "#s3/signature/presigned.ts";
import { type VerifiedSignature, verifyClaim } from "#s3/signature/verify.ts";

/** undefined for an access key, or a session token of one, that may not sign requests. */
export type FindCredential = (
  known: Known,
  accessKeyId: string,
  sessionToken?: string,
) => Soon<Credential | undefined>;

export interface Authenticated {
  readonly principal: Principal;
  readonly accessKeyId: string | undefined;
  readonly signedMs: number | undefined;
  readonly payload: PayloadMode | undefined;
  readonly verified: VerifiedSignature | undefined;
  /** What CreateSession confined the caller to. */
  readonly session: OpenSession | undefined;
  /** undefined for who has no key of their own. */
  readonly startSession: ((bucket: BucketName, mode: SessionMode) => StartedSession) | undefined;
}

/** Whom signatures are known by. */
export interface Callers {
  readonly known: Known;
  readonly findCredential: FindCredential;
  readonly sessions: BucketSessions;
}

/** How far the clocks of a client and of the server may differ. */
export const SKEW_MS_MAX = 15 * 60 * 1_000;

export interface Moment {
  readonly nowMs: number;
  readonly skewMsMax: number;
}

/** Who made a request. Fails: InvalidAccessKeyId, InvalidToken, ExpiredToken, and as the signature does. */
export function authenticate(
  request: FramedRequest,
  callers: Callers,
  moment: Moment,
): Soon<Authenticated> {
  const { method, path, rawQuery, sentHeaders, form } = request;
  const signed = { method, path, query: rawQuery, headers: sentHeaders };
  const claim = form === undefined ? readClaim(signed) : claimOfForm(form.fields, signed);
  if (claim === undefined) {
    const text = request.headers["x-amz-content-sha256"];
    const payload = text === undefined ? undefined : readPayloadMode(text);
    return {
      principal: ANONYMOUS_PRINCIPAL,
      accessKeyId: undefined,
      signedMs: undefined,
      payload,
      verified: undefined,
      session: undefined,
      startSession: undefined,
    };
  }
  return authenticateClaim({ signed, claim }, callers, moment);
}

/** Fails: as readFormClaim; InvalidArgument when the request is signed beside its form. */
function claimOfForm(fields: FormParts["fields"], signed: SignedRequest): FormClaim | undefined {
  const { authorization } = signed.headers;
  if (authorization !== undefined || queryAuthOf(signed.query) !== undefined) {
    throw twoMechanisms(authorization ?? "");
  }
  return readFormClaim(fields);
}

interface Claimed {
  readonly signed: SignedRequest;
  readonly claim: Claim | FormClaim;
}

/** Whoever holds the secret of the key that is claimed. Fails: as authenticate. */
export function authenticateClaim(
  claimed: Claimed,
  callers: Callers,
  moment: Moment,
): Soon<Authenticated> {
  const { known, findCredential, sessions } = callers;
  const { accessKeyId, sessionToken } = claimed.claim;
  const session = sessionToken === undefined ? undefined : sessions.open(sessionToken);
  const credential =
    session === undefined
      ? findCredential(known, accessKeyId, sessionToken)
      : findCredential(known, session.parentKeyId, session.parentToken);
  return after(credential, (found) =>
    authenticateAs(claimed, { credential: found, session, sessions }, moment),
  );
}

/** Whom a claim could be of. */
interface Claimant {
  readonly credential: Credential | undefined;
  readonly session: OpenSession | undefined;
  readonly sessions: BucketSessions;
}

function authenticateAs(
  { signed, claim }: Claimed,
  { credential, session, sessions }: Claimant,
  { nowMs, skewMsMax }: Moment,
): Authenticated {
  const { accessKeyId, timeMs, payload, sessionToken } = claim;
  if (credential === undefined) {
    const needsToken = sessionToken !== undefined || isSessionKey(accessKeyId);
    if (session === undefined && needsToken) throw new S3Error("InvalidToken", {});
    throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
  }
  const { secret } = session ?? credential;
  if (session !== undefined) requireParent(session, credential, claim);
  const options = { secret, nowMs, skewMsMax };
  const verified =
    claim.kind === "form" ? verifyForm(claim, options) : verifyClaim(signed, claim, options);
  if (session === undefined) requireSession(credential, sessionToken);
  const expiryMs = Math.min(credential.expiryMs ?? Infinity, session?.expiryMs ?? Infinity);
  if (expiryMs <= nowMs) throw new S3Error("ExpiredToken", {});
  const { principal } = credential;
  const parent = { ...credential, accessKeyId, sessionToken };
  const startSession = (bucket: BucketName, mode: SessionMode) =>
    sessions.start({ parent, bucket, mode, nowMs });
  return {
    principal,
    accessKeyId,
    signedMs: timeMs,
    payload,
    verified,
    session,
    startSession: session === undefined ? startSession : undefined,
  };
}

/** Fails: InvalidToken for the token of another session, or of a key whose secret was changed. */
function requireParent(
  session: OpenSession,
  credential: Credential,
  claim: Claimed["claim"],
): void {
  if (session.accessKeyId === claim.accessKeyId && session.isUnder(credential.secret)) return;
  throw new S3Error("InvalidToken", {});
}

/** Fails: InvalidToken for a session token that is missing, out of place, or another key's. */
function requireSession({ sessionDigest }: Credential, token: string | undefined): void {
  if (sessionDigest === undefined && token === undefined) return;
  const given = Buffer.from(sessionDigestOf(token ?? ""), "hex");
  const known = Buffer.from(sessionDigest ?? "", "hex");
  if (known.length === given.length && timingSafeEqual(known, given)) return;
  throw new S3Error("InvalidToken", {});
}
