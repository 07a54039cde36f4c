import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import type { StoredPart } from "#object/assembly.ts";
import type { ChecksumType } from "#object/attributes.ts";
import type { CompletePart, UploadInput } from "#object/engine.ts";

/** What was said of checksums when an upload was created. */
export type UploadChecksums = Pick<UploadInput, "algorithm" | "checksumType">;

/** Of uploads that were created without one. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

export function checksumTypeOf({ algorithm, checksumType }: UploadChecksums): ChecksumType {
  if (checksumType !== undefined) return checksumType;
  return (algorithm ?? DEFAULT_ALGORITHM) === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
}

/**
 * A part's checksum, where the client sends one, is by the upload's algorithm. One whose checksum is to be of
 * those of its parts asks for them.
 *
 * Observed: 2026-09-03, as others measured AWS: an upload with a COMPOSITE checksum refuses a part that comes
 * without one; with a checksum of the whole the part's is made here.
 * Fails: InvalidRequest.
 */
export function requirePartAlgorithm(
  upload: UploadChecksums,
  sent: ChecksumAlgorithm | undefined,
): void {
  const { algorithm } = upload;
  if (algorithm === undefined || sent === algorithm) return;
  if (sent === undefined && checksumTypeOf(upload) === "FULL_OBJECT") return;
  const message = `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${sent?.toLowerCase() ?? "null"}`;
  throw new S3Error("InvalidRequest", {}, { message });
}

/**
 * Whether the checksums that a client names a part by are the part's own. An upload that was created
 * without an algorithm has none that a client could know.
 *
 * Observed: 2026-02-21, as others recorded AWS: the codes, and that an upload whose checksum is one of its
 * parts' checksums is completed with all of them; one with a checksum of the whole may leave them out.
 * Fails: BadDigest (by another algorithm), InvalidRequest (it is missing).
 */
export function hasChecksums(
  part: StoredPart,
  { number, checksums }: CompletePart,
  upload: UploadChecksums,
): boolean {
  const given = Object.entries(checksums);
  const { algorithm } = upload;
  if (algorithm === undefined) {
    const known = part.checksums[DEFAULT_ALGORITHM];
    return given.every(([name, value]) => name === DEFAULT_ALGORITHM && value === known);
  }
  for (const [name] of given) {
    if (name === algorithm) continue;
    const message = `The ${name.toLowerCase()} you specified for part ${number} did not match what we received.`;
    throw new S3Error("BadDigest", {}, { message });
  }
  const value = checksums[algorithm];
  if (value !== undefined) return value === part.checksums[algorithm];
  if (checksumTypeOf(upload) === "FULL_OBJECT") return true;
  const message = `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`;
  throw new S3Error("InvalidRequest", {}, { message });
}
