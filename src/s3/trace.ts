import type { Principal } from "#access/principal.ts";
import { randomHex } from "#base/random.ts";
import type { FoundBucket } from "#catalog/known.ts";
import type { TracedSource } from "#s3/traced-source.ts";

/** What is known of a request when it has been answered; for the access log and the metrics. */
export interface Trace {
  readonly requestId: string;
  operation: string;
  principal: string;
  accessKeyId: string | undefined;
  bucket: string | undefined;
  key: string | undefined;
  versionId: string | undefined;
  /** The S3 code of a refusal. */
  code: string | undefined;
  /** Which policy refused it: for the operator, never for the client. */
  denied: string | undefined;
  /** The bucket that the request is about, once it was found. */
  found: FoundBucket | undefined;
  /** What it reads of another bucket, whose owner wants to know of it too. */
  source: TracedSource | undefined;
  caller: Principal | undefined;
  host: string;
  /** What a browser needs to be told, of a refusal too. */
  crossOrigin: Record<string, string>;
}

export function newTrace(): Trace {
  return {
    requestId: randomHex(8).toUpperCase(),
    operation: "Unknown",
    principal: "-",
    accessKeyId: undefined,
    bucket: undefined,
    key: undefined,
    versionId: undefined,
    code: undefined,
    denied: undefined,
    found: undefined,
    source: undefined,
    caller: undefined,
    host: "",
    crossOrigin: {},
  };
}
