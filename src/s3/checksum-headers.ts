import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, digestBytes } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Checksum, ChecksumType } from "#object/attributes.ts";
import type { Headers } from "#s3/request.ts";

/** Header, trailer and query names carry the algorithm in lower case; XML elements as here. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Fails: InvalidRequest. */
export function readAlgorithm(
  text: string | undefined,
  header: string,
): ChecksumAlgorithm | undefined {
  if (text === undefined) return undefined;
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === text.toUpperCase());
  if (algorithm !== undefined) return algorithm;
  const message = `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}] (${header})`;
  throw new S3Error("InvalidRequest", {}, { message });
}

/** Fails: InvalidRequest. */
export function readChecksumType(headers: Headers): ChecksumType | undefined {
  const text = headers["x-amz-checksum-type"]?.toUpperCase();
  if (text === undefined || text === "COMPOSITE" || text === "FULL_OBJECT") return text;
  const message = "Value for x-amz-checksum-type header is invalid.";
  throw new S3Error("InvalidRequest", {}, { message });
}

export interface SentChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/** The one checksum among the headers. Fails: InvalidRequest when there are several. */
export function sentChecksum(headers: Headers): SentChecksum | undefined {
  const sent = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = headers[checksumHeader(algorithm)];
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (sent.length > 1) {
    const message =
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return sent[0];
}

/** Base64 of a digest of the right length. Fails: InvalidRequest. */
export function readDigest({ algorithm, value }: SentChecksum): Buffer {
  const digest = Buffer.from(value, "base64");
  if (digest.length !== digestBytes(algorithm) || digest.toString("base64") !== value) {
    const message = `Value for ${checksumHeader(algorithm)} header is invalid.`;
    throw new S3Error("InvalidRequest", {}, { message });
  }
  return digest;
}

/** The headers that tell a stored checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [checksumHeader(checksum.algorithm)]: checksum.value,
    "x-amz-checksum-type": checksum.type,
  };
}
