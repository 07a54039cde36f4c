import { S3Error } from "#base/error.ts";
import { FederationError } from "#federation/federation-error.ts";

/**
 * What the Security Token Service answers when it does not do what it was asked.
 *
 * Spec: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
const STATUS = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  ValidationError: 400,
} as const;

export type StsCode = keyof typeof STATUS;

export class StsError extends Error {
  override readonly name = "StsError";
  readonly code: StsCode;
  readonly status: number;

  constructor(code: StsCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = STATUS[code];
  }
}

const OF_FEDERATION = {
  invalid: "InvalidIdentityToken",
  forged: "InvalidIdentityToken",
  expired: "ExpiredTokenException",
  unreachable: "IDPCommunicationError",
  denied: "AccessDenied",
} as const;

const OF_S3: Readonly<Record<string, StsCode>> = {
  AccessDenied: "AccessDenied",
  AuthorizationHeaderMalformed: "IncompleteSignature",
  ExpiredToken: "ExpiredToken",
  InvalidAccessKeyId: "InvalidClientTokenId",
  InvalidToken: "InvalidClientTokenId",
  RequestTimeTooSkewed: "SignatureDoesNotMatch",
  ServiceUnavailable: "ServiceUnavailable",
  SignatureDoesNotMatch: "SignatureDoesNotMatch",
};

export function asStsError(cause: unknown): StsError {
  if (cause instanceof StsError) return cause;
  if (cause instanceof FederationError) {
    return new StsError(OF_FEDERATION[cause.kind], cause.message, cause);
  }
  if (cause instanceof S3Error && cause.status < 500) {
    return new StsError(OF_S3[cause.code] ?? "ValidationError", cause.message, cause);
  }
  return new StsError("InternalFailure", "The server has failed. Try again.", cause);
}
