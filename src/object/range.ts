/** Half open. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/**
 * What a Range header asks of `sizeBytes` bytes: a slice, "unsatisfiable", or undefined for the whole,
 * which is the answer to everything that is not one well-formed byte range.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
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
    if (suffix === 0 || sizeBytes === 0) return "unsatisfiable";
    return { from: Math.max(0, sizeBytes - suffix), to: sizeBytes };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return undefined;
  if (from >= sizeBytes) return "unsatisfiable";
  return { from, to: last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}
