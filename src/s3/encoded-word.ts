const WORD = /^=\?utf-8\?([bq])\?([^?]*)\?=$/i;
const PRINTABLE = /^[\x20-\x7e]*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * What an encoded word says when that is printable ASCII, for which none is needed; every other text is itself.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc2047#section-4
 * Observed: 2026-02-21, as others recorded AWS: so it keeps user metadata.
 */
export function withoutEncodedWord(text: string): string {
  const [, how, encoded] = WORD.exec(text) ?? [];
  if (how === undefined || encoded === undefined) return text;
  const decoded = how.toLowerCase() === "b" ? fromBase64(encoded) : fromQuoted(encoded);
  return decoded !== undefined && PRINTABLE.test(decoded) ? decoded : text;
}

function fromBase64(encoded: string): string | undefined {
  return BASE64.test(encoded) ? Buffer.from(encoded, "base64").toString("latin1") : undefined;
}

function fromQuoted(encoded: string): string {
  const spaced = encoded.replaceAll("_", " ");
  return spaced.replace(/=([\da-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
