import { S3Error, StorageError } from "#base/error.ts";
import type { HttpReply, HttpRequest } from "#base/http.ts";
import { errorReply } from "#s3/reply.ts";
import type { Trace } from "#s3/trace.ts";

interface Refused {
  readonly http: HttpRequest;
  readonly trace: Trace;
  readonly front: { readonly report: (cause: unknown, requestId: string) => void };
}

/** The answer to a request that failed. Who runs the server is told of failures that are ours. */
export function refusal(cause: unknown, { http, trace, front }: Refused): HttpReply {
  const error = asS3Error(cause);
  trace.code = error.code;
  if (error.status >= 500 && error !== cause) front.report(cause, trace.requestId);
  const { requestId } = trace;
  const resource = http.target.split("?", 1)[0] ?? "/";
  const hostId = hostIdOf(requestId);
  return errorReply(error, { requestId, hostId, resource, method: http.method });
}

function asS3Error(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause;
  if (cause instanceof StorageError && cause.kind === "full") {
    const message =
      "The server's disk is full: nothing was stored. Delete data or add space, then try again.";
    return new S3Error("ServiceUnavailable", {}, { message, cause });
  }
  if (cause instanceof StorageError && cause.kind === "unavailable") {
    return new S3Error("ServiceUnavailable", {}, { cause });
  }
  return new S3Error("InternalError", {}, { cause });
}

/** AWS answers two ids; ours says the same in another form, so that either finds the log line. */
export function hostIdOf(requestId: string): string {
  return btoa(`lode/${requestId}`);
}
