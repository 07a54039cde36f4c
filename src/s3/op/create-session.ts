import { invalidArgument, S3Error } from "#base/error.ts";
import { tag, wrap } from "#base/xml.ts";
import { SESSION_MODES, type SessionMode } from "#s3/bucket-session.ts";
import { isoDate } from "#s3/iso-date.ts";
import { operation } from "#s3/operation.ts";
import { xmlReply } from "#s3/reply.ts";
import { bucketOf, type Headers } from "#s3/request.ts";

/** SDKs call it for such names alone, before anything else. */
const DIRECTORY_BUCKET = /--x-s3$/;

/**
 * Gives a key that is good for five minutes and for one bucket, and that may do no more than the caller
 * may at each moment.
 *
 * Differs: the bucket need not be there yet, since boto3 asks for a session before it creates one.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
 * Fails: InvalidRequest for a bucket of another kind of name, AccessDenied in a session.
 */
export const createSession = operation({
  name: "CreateSession",
  route: { method: "GET", on: "bucket", query: ["session"] },
  body: "none",

  parse: (request) => {
    refuseKeyService(request.headers);
    return { bucket: bucketOf(request), mode: readMode(request.headers) };
  },

  grants: ({ bucket }) => [{ action: "s3:CreateSession", resource: bucket }],

  run: async ({ startSession }, { bucket, mode }) => {
    if (!DIRECTORY_BUCKET.test(bucket)) {
      const message = "Sessions are for buckets whose names end in --x-s3; this one needs none.";
      throw new S3Error("InvalidRequest", {}, { message });
    }
    if (startSession === undefined) throw new S3Error("AccessDenied", {});
    return startSession(bucket, mode);
  },

  render: ({ accessKeyId, secret, sessionToken, expiryMs }) =>
    xmlReply(
      "CreateSessionResult",
      wrap(
        "Credentials",
        tag("SessionToken", sessionToken) +
          tag("SecretAccessKey", secret) +
          tag("AccessKeyId", accessKeyId) +
          tag("Expiration", isoDate(expiryMs)),
      ),
    ),
});

/** Fails: InvalidArgument. */
function readMode(headers: Headers): SessionMode {
  const text = headers["x-amz-create-session-mode"];
  if (text === undefined) return "ReadWrite";
  const mode = SESSION_MODES.find((known) => known === text);
  if (mode === undefined) throw invalidArgument("x-amz-create-session-mode", text);
  return mode;
}

/** Objects are encrypted as the bucket says. Fails: NotImplemented for anything that asks for more. */
function refuseKeyService(headers: Headers): void {
  const algorithm = headers["x-amz-server-side-encryption"];
  if (algorithm === undefined || algorithm === "AES256") return;
  const message = "Sessions with SSE-KMS are not implemented.";
  throw new S3Error("NotImplemented", { Operation: "SSE-KMS" }, { message });
}
