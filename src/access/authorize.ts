import { S3Error } from "#base/error.ts";

/** One thing an operation wants to do, in the vocabulary of bucket policies. */
export interface Grant {
  readonly action: `s3:${string}`;
  /** `*`, `bucket` or `bucket/key`, without the arn prefix. */
  readonly resource: string;
}

/** Who makes a request. */
export interface Caller {
  /** The access key's principal, or "anonymous". */
  readonly principal: string;
  /** The account that owns what the caller makes: 64 hexadecimal digits. */
  readonly ownerId: string;
  readonly displayName: string;
  readonly allows: (grant: Grant) => boolean;
}

/** Nobody may do anything until a policy says so. */
export const ANONYMOUS: Caller = {
  principal: "anonymous",
  ownerId: "65a011a29cdf8ec533ec3d1ccaae921c".padEnd(64, "0"),
  displayName: "anonymous",
  allows: () => false,
};

/** Fails: AccessDenied unless every grant is allowed. An operation that wants nothing is a bug. */
export function authorize(caller: Caller, grants: readonly [Grant, ...Grant[]]): void {
  for (const grant of grants) {
    if (!caller.allows(grant)) throw new S3Error("AccessDenied", {});
  }
}
