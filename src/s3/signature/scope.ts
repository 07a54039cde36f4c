import type { S3Error } from "#base/error.ts";
import { memo } from "#base/memo.ts";

/** For what a signing key is good: one day, one region, one service. */
export interface Scope {
  /** `yyyymmdd`, UTC. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** All of it as it is signed: `20130524/us-east-1/s3/aws4_request`. */
  readonly text: string;
}

/** Makes the error of the place that carried the credential: the header or the query. */
type ScopeFailure = (detail: string) => S3Error;

const DATE = /^\d{8}$/;
// s3express: boto3 signs for it when a bucket name ends in --x-s3.
const S3_SERVICES: readonly string[] = ["s3", "s3express"];

/**
 * Reads `<access key>/<yyyymmdd>/<region>/<service>/aws4_request`. Any region will do: a
 * self-hosted store is in whatever region its callers have configured.
 * Fails: what `fail` makes.
 */
export function readCredential(
  text: string,
  fail: ScopeFailure,
  services = S3_SERVICES,
): { readonly accessKeyId: string; readonly scope: Scope } {
  const { accessKeyId, terminal, scope } = splitCredential(text);
  const { date, region, service } = scope;
  if (accessKeyId === "" || region === "") {
    throw fail(
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (!DATE.test(date)) {
    throw fail(
      `incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`,
    );
  }
  if (!services.includes(service)) {
    throw fail(`incorrect service "${service}". This endpoint belongs to "${services[0]}".`);
  }
  if (terminal !== "aws4_request") {
    throw fail(`incorrect terminal "${terminal}". This endpoint uses "aws4_request".`);
  }
  return { accessKeyId, scope };
}

const splitCredential = memo((text: string) => {
  const words = text.split("/");
  const [date = "", region = "", service = "", terminal = ""] = words.slice(-4);
  const scope: Scope = { date, region, service, text: words.slice(-4).join("/") };
  return { accessKeyId: words.slice(0, -4).join("/"), terminal, scope };
});

// Semicolons stand between names and never in one, so this reads each character once.
const SIGNED_HEADERS = /^[\w!#$%&'*+.^`|~-]+(?:;[\w!#$%&'*+.^`|~-]+)*$/;

/** Names in lower case, in the order signed; undefined when one could not be a header's name. */
export const readSignedHeaders = memo((text: string): readonly string[] | undefined =>
  SIGNED_HEADERS.test(text) ? text.toLowerCase().split(";") : undefined,
);
