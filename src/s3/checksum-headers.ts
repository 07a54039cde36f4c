import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, digestBytes } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Checksum, ChecksumType } from "#object/attributes.ts";
import type { Headers } from "#s3/request.ts";

/** Header, trailer and query names carry the algorithm in lower case; XML elements as here. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `${PREFIX}${algorithm.toLowerCase()}`;
}

export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

/** Fails: InvalidRequest. */
export function readAlgorithm(
  text: string | undefined,
  header: string,
): ChecksumAlgorithm | undefined {
  return text === undefined ? undefined : algorithmNamed(text, header);
}

/** Of what was sent at `place`. Fails: InvalidRequest. */
export function algorithmNamed(text: string, place: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === text.toUpperCase());
  if (algorithm !== undefined) return algorithm;
  const message = `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(", ")}] (${place})`;
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

const PREFIX = "x-amz-checksum-";
/** Headers that speak of checksums and are none. */
const ABOUT: readonly string[] = ["algorithm", "mode", "type"].map((each) => PREFIX + each);

/**
 * The one checksum among the headers. What cannot be checked is refused: its client would take it for checked.
 * Fails: InvalidRequest when there are several, or one of another algorithm.
 */
export function sentChecksum(headers: Headers): SentChecksum | undefined {
  const names = Object.keys(headers).filter(
    (name) => name.startsWith(PREFIX) && !ABOUT.includes(name),
  );
  if (names.length > 1) {
    const message =
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const [name] = names;
  const value = name === undefined ? undefined : headers[name];
  if (name === undefined || value === undefined) return undefined;
  return { algorithm: algorithmNamed(name.slice(PREFIX.length), name), value };
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
