import { type ChecksumAlgorithm, type CrcAlgorithm, combineCrc, digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { Checksum } from "#object/attributes.ts";
import type { CompleteInput, CompletePart } from "#object/engine.ts";
import {
  checksumTypeOf,
  DEFAULT_ALGORITHM,
  hasChecksums,
  type UploadChecksums,
} from "#object/part-checksums.ts";

/** What an object that is made of parts needs to know of one, wherever its bytes are. */
export interface StoredPart {
  readonly number: number;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly md5: string;
  /** Base64, by algorithm. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

interface AssembledUpload extends UploadChecksums {
  readonly uploadId: string;
}

/**
 * The parts that a client names, in its order, which is looked at before any of them.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 * Fails: InvalidPartOrder, InvalidPart, EntityTooSmall, and as hasChecksums.
 */
export function chooseParts<Part extends StoredPart>(
  stored: Iterable<Part>,
  { parts }: CompleteInput,
  { upload, partBytesMin }: { readonly upload: AssembledUpload; readonly partBytesMin: number },
): Part[] {
  const ascending = parts.every(({ number }, at) => number > (parts[at - 1]?.number ?? 0));
  if (!ascending) throw new S3Error("InvalidPartOrder", { UploadId: upload.uploadId });
  const byNumber = new Map([...stored].map((part) => [part.number, part]));
  const chosen = parts.map((asked) => {
    const part = byNumber.get(asked.number);
    if (part === undefined || !isMeant(part, asked, upload)) {
      throw new S3Error("InvalidPart", {
        UploadId: upload.uploadId,
        PartNumber: String(asked.number),
        ETag: asked.etag,
      });
    }
    return part;
  });
  for (const part of chosen.slice(0, -1)) {
    if (part.sizeBytes >= partBytesMin) continue;
    throw new S3Error("EntityTooSmall", {
      ProposedSize: String(part.sizeBytes),
      MinSizeAllowed: String(partBytesMin),
      PartNumber: String(part.number),
      ETag: part.md5,
    });
  }
  return chosen;
}

function isMeant(part: StoredPart, asked: CompletePart, upload: UploadChecksums): boolean {
  return part.md5 === asked.etag.toLowerCase() && hasChecksums(part, asked, upload);
}

/** Fails: InvalidRequest when the client counted otherwise. */
export function assembledSize(parts: readonly StoredPart[], { sizeBytes }: CompleteInput): number {
  const sum = parts.reduce((all, part) => all + part.sizeBytes, 0);
  if (sizeBytes === undefined || sizeBytes === sum) return sum;
  const message = `The provided 'x-amz-mp-object-size' header value ${sizeBytes} does not match what was computed: ${sum}`;
  throw new S3Error("InvalidRequest", {}, { message });
}

/** The MD5 of the parts' MD5s, hexadecimal; an ETag has a hyphen and their number after it. */
export function assembledMd5(parts: readonly StoredPart[]): string {
  const md5s = Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, "hex")));
  return digestOf("MD5", md5s).toString("hex");
}

/**
 * From the parts' checksums: combined for the whole, or a checksum of checksums; undefined when a part
 * has none.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 * Fails: BadDigest, InvalidRequest.
 */
export function assembledChecksum(
  parts: readonly StoredPart[],
  upload: UploadChecksums,
  input: CompleteInput,
): Checksum | undefined {
  const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
  const isCrc = algorithm === "CRC32" || algorithm === "CRC32C" || algorithm === "CRC64NVME";
  const type = checksumTypeOf(upload);
  requireType(upload, input);
  const digests: Digest[] = [];
  for (const { checksums, sizeBytes } of parts) {
    const value = checksums[algorithm];
    if (value === undefined) return undefined;
    digests.push({ digest: Buffer.from(value, "base64"), sizeBytes });
  }
  const value =
    type === "FULL_OBJECT" && isCrc
      ? wholeCrc(algorithm, digests)
      : `${digestOf(algorithm, Buffer.concat(digests.map(({ digest }) => digest))).toString("base64")}-${parts.length}`;
  const computed: Checksum = { algorithm, type, value };
  requireClaimed(upload, input, computed);
  return computed;
}

/**
 * Observed: 2026-02-21, as others recorded AWS: an upload that was created without an algorithm has no type
 * that could be named.
 * Fails: InvalidRequest.
 */
function requireType(upload: UploadChecksums, { checksumType }: CompleteInput): void {
  if (checksumType === undefined) return;
  const type = upload.algorithm === undefined ? "null" : checksumTypeOf(upload);
  if (checksumType === type) return;
  const message = `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`;
  throw new S3Error("InvalidRequest", {}, { message });
}

interface Digest {
  readonly digest: Buffer;
  readonly sizeBytes: number;
}

function wholeCrc(algorithm: CrcAlgorithm, parts: readonly Digest[]): string {
  const [first, ...rest] = parts;
  let whole = first?.digest ?? digestOf(algorithm, Buffer.alloc(0));
  for (const { digest, sizeBytes } of rest) {
    whole = combineCrc(algorithm, { first: whole, second: digest, secondSizeBytes: sizeBytes });
  }
  return whole.toString("base64");
}

/**
 * Observed: 2026-02-21, as others recorded AWS: where an upload was created without an algorithm, a checksum by
 * another one than its own is not looked at.
 * Differs: AWS takes the checksum of the whole only with the x-amz-checksum-type FULL_OBJECT beside it.
 * Fails: BadDigest.
 */
function requireClaimed(
  upload: UploadChecksums,
  { checksum }: CompleteInput,
  computed: Checksum,
): void {
  if (checksum === undefined) return;
  const { algorithm, value } = checksum;
  if (upload.algorithm === undefined && algorithm !== computed.algorithm) return;
  // A client may leave the count off a composite checksum.
  const same =
    algorithm === computed.algorithm &&
    (value === computed.value || `${value}-${computed.value.split("-")[1]}` === computed.value);
  if (!same) {
    const message = `The ${computed.algorithm.toLowerCase()} you specified did not match the calculated checksum.`;
    throw new S3Error("BadDigest", {}, { message });
  }
}
