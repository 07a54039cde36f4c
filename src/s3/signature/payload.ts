import { invalidArgument, S3Error } from "#base/error.ts";

/** A body in aws-chunked framing. `signed`: each chunk is; `trailer`: trailers may follow it. */
export interface ChunkedPayload {
  readonly kind: "chunked";
  /** The header's value, as it ends the canonical request. */
  readonly text: string;
  readonly signed: boolean;
  readonly trailer: boolean;
}

/** What x-amz-content-sha256 says about the body. `text` is its value as the client signed it. */
export type PayloadMode =
  | { readonly kind: "hash"; readonly text: string; readonly sha256: string }
  | { readonly kind: "unsigned"; readonly text: string }
  | ChunkedPayload;

export const UNSIGNED_PAYLOAD: PayloadMode = { kind: "unsigned", text: "UNSIGNED-PAYLOAD" };

const MODES: ReadonlyMap<string, PayloadMode> = new Map(
  [
    UNSIGNED_PAYLOAD,
    chunked("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", { signed: true, trailer: false }),
    chunked("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", { signed: true, trailer: true }),
    chunked("STREAMING-UNSIGNED-PAYLOAD-TRAILER", { signed: false, trailer: true }),
  ].map((mode) => [mode.text, mode]),
);

const SHA256 = /^[\da-f]{64}$/i;
const REFUSED = `x-amz-content-sha256 must be ${[...MODES.keys()].join(", ")} or a valid sha256 value.`;

/**
 * Reads a value of x-amz-content-sha256, which is case-sensitive but for the digest.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * Fails: InvalidArgument, NotImplemented (chunks signed with SigV4A).
 */
export function readPayloadMode(text: string): PayloadMode {
  const mode = MODES.get(text);
  if (mode !== undefined) return mode;
  if (SHA256.test(text)) return { kind: "hash", text, sha256: text.toLowerCase() };
  if (text.startsWith("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")) throw sigV4a();
  throw invalidArgument("x-amz-content-sha256", text, REFUSED);
}

/** The refusal of asymmetric signatures, wherever a request names them. */
export function sigV4a(): S3Error {
  const message =
    "Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not implemented. Please use AWS4-HMAC-SHA256.";
  return new S3Error("NotImplemented", { Operation: "SignatureVersion4A" }, { message });
}

function chunked(
  text: string,
  { signed, trailer }: { signed: boolean; trailer: boolean },
): PayloadMode {
  return { kind: "chunked", text, signed, trailer };
}
