import type { S3Error } from "#base/error.ts";
import type { HttpReply } from "#base/http.ts";
import { document, tag } from "#base/xml.ts";

/** An answer without a body. */
export function empty(status: number, headers: Record<string, string> = {}): HttpReply {
  // A 204 has no body by its nature; every other answer says how long it is.
  return {
    status,
    headers: status === 204 ? headers : { ...headers, "content-length": "0" },
    body: undefined,
  };
}

/** An XML answer. `inner` is what the root holds. */
export function xmlReply(
  root: string,
  inner: string,
  options: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): HttpReply {
  const body = document(root, inner);
  const headers = {
    ...options.headers,
    "content-type": "application/xml",
    "content-length": String(Buffer.byteLength(body)),
  };
  return { status: options.status ?? 200, headers, body };
}

export interface ErrorContext {
  readonly requestId: string;
  readonly hostId: string;
  readonly resource: string;
  readonly method: string;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export function errorReply(error: S3Error, context: ErrorContext): HttpReply {
  const { code, message, detail, status, headers } = error;
  if (context.method === "HEAD") return { status, headers, body: undefined };
  const fields = Object.entries(detail).map(([name, value]) => tag(name, value));
  const inner = [
    tag("Code", code),
    tag("Message", message),
    ...fields,
    tag("Resource", context.resource),
    tag("RequestId", context.requestId),
    tag("HostId", context.hostId),
  ].join("");
  const body = document("Error", inner, { xmlns: false });
  return {
    status,
    headers: {
      ...headers,
      "content-type": "application/xml",
      "content-length": String(Buffer.byteLength(body)),
    },
    body,
  };
}
