/**
 * What the control API answers when it does not do what it was asked: the codes of gRPC, by their
 * names in JSON, and the HTTP status that goes with each.
 *
 * Spec: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
const CODES = {
  InvalidArgument: { number: 3, status: 400 },
  NotFound: { number: 5, status: 404 },
  AlreadyExists: { number: 6, status: 409 },
  PermissionDenied: { number: 7, status: 403 },
  ResourceExhausted: { number: 8, status: 429 },
  FailedPrecondition: { number: 9, status: 400 },
  Aborted: { number: 10, status: 409 },
  Unimplemented: { number: 12, status: 501 },
  Internal: { number: 13, status: 500 },
  Unavailable: { number: 14, status: 503 },
  Unauthenticated: { number: 16, status: 401 },
} as const;

export type ControlCode = keyof typeof CODES;

/** An expected failure of the control plane. Thrown anywhere, caught once: in `admin/handle.ts`. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly code: ControlCode;
  readonly number: number;
  readonly status: number;
  /** When to come back, of who is refused for coming too often. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ControlCode,
    message: string,
    more: { readonly cause?: unknown; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, { cause: more.cause });
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.code = code;
    this.number = CODES[code].number;
    this.status = CODES[code].status;
  }
}
