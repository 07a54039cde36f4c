import { invalidArgument, S3Error } from "#base/error.ts";

/** Half open. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/**
 * What a Range header asks of `sizeBytes` bytes: a slice, "unsatisfiable", or undefined for the whole,
 * which is the answer to everything that is not one well-formed byte range, and to a suffix of no bytes at all.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
 * Observed: 2026-08-25, as others measured AWS: the last bytes of an empty object are 200 without Content-Range.
 */
export function readRange(
  header: string | undefined,
  sizeBytes: number,
): Slice | "unsatisfiable" | undefined {
  const match = header === undefined ? null : /^bytes=(\d{0,20})-(\d{0,20})$/.exec(header.trim());
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return undefined;
    const suffix = Number(last);
    if (suffix === 0) return "unsatisfiable";
    if (sizeBytes === 0) return undefined;
    return { from: Math.max(0, sizeBytes - suffix), to: sizeBytes };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return undefined;
  if (from >= sizeBytes) return "unsatisfiable";
  return { from, to: last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}

/** The first byte and the last, which is one of them. */
export interface CopiedRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What a part takes of a source of `sizeBytes` bytes; undefined: all of it.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 * Fails: InvalidRequest when none of the range is there, InvalidArgument when a part of it is not.
 */
export function copiedSlice(range: CopiedRange | undefined, sizeBytes: number): Slice {
  if (range === undefined) return { from: 0, to: sizeBytes };
  const { first, last } = range;
  if (last < sizeBytes) return { from: first, to: last + 1 };
  if (first >= sizeBytes) {
    const message = "The specified copy range is invalid for the source object size";
    throw new S3Error("InvalidRequest", {}, { message });
  }
  const message = `Range specified is not valid for source object of size: ${sizeBytes}`;
  throw invalidArgument("x-amz-copy-source-range", `bytes=${first}-${last}`, message);
}
