import { ControlError } from "#base/control-error.ts";
import { S3Error, StorageError } from "#base/error.ts";
import type { HttpReply } from "#base/http.ts";
import { FederationError } from "#federation/federation-error.ts";

/** Answers carry secrets, and what they say may be otherwise at once. */
const HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

export function jsonReply(value: unknown): HttpReply {
  return textReply(200, JSON.stringify(value), {});
}

/** Spec: https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto */
export function errorReply({
  status,
  number,
  message,
  retryAfterSeconds,
}: ControlError): HttpReply {
  const body = JSON.stringify({ code: number, message, details: [] });
  return textReply(status, body, {
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
}

function textReply(status: number, body: string, more: Record<string, string>): HttpReply {
  const length = String(Buffer.byteLength(body));
  return { status, headers: { ...HEADERS, ...more, "content-length": length }, body };
}

export function asControlError(cause: unknown): ControlError {
  if (cause instanceof ControlError) return cause;
  if (cause instanceof S3Error) return fromS3(cause);
  if (cause instanceof FederationError) return fromFederation(cause);
  if (cause instanceof StorageError && cause.kind === "full") {
    const message = "the server's disk is full: delete data or add space, then try again";
    return new ControlError("Unavailable", message, { cause });
  }
  if (cause instanceof StorageError && cause.kind === "unavailable") {
    return new ControlError("Unavailable", "the server's store does not answer: try again", {
      cause,
    });
  }
  return new ControlError("Internal", "an internal error; the server's log says more", { cause });
}

const OF_FEDERATION = {
  invalid: "Unauthenticated",
  forged: "Unauthenticated",
  expired: "Unauthenticated",
  unreachable: "Unavailable",
  denied: "PermissionDenied",
} as const;

function fromFederation(cause: FederationError): ControlError {
  return new ControlError(OF_FEDERATION[cause.kind], cause.message, { cause });
}

/** What the catalog, which speaks S3, refuses. */
function fromS3(cause: S3Error): ControlError {
  const { status, code, message } = cause;
  if (code === "NoSuchBucket") return new ControlError("NotFound", "bucket not found", { cause });
  if (status === 404) return new ControlError("NotFound", message, { cause });
  if (status === 403) return new ControlError("PermissionDenied", message, { cause });
  if (status === 409) return new ControlError("Aborted", message, { cause });
  if (status === 503) return new ControlError("Unavailable", message, { cause });
  if (status < 500) return new ControlError("InvalidArgument", message, { cause });
  return new ControlError("Internal", "an internal error; the server's log says more", { cause });
}
