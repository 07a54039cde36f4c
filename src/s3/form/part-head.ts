import { S3Error } from "#base/error.ts";

/** What the head of a part says of it. */
export interface PartHead {
  readonly name: string;
  /** "" when it says none. */
  readonly filename: string;
}

const NAME = "name";
const FILENAME = "filename";
/** One parameter: a token, or text in quotes. Each character can be read in one way only. */
const PARAMETER = /;[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))[ \t]*/sy;
/** Codings that change no byte. */
const PLAIN = /^(?:7bit|8bit|binary)$/i;

/**
 * The head of a part as it stands between its boundary and the empty line.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc7578#section-4.2
 * Fails: MalformedPOSTRequest.
 */
export function readPartHead(bytes: Buffer): PartHead {
  let disposition: string | undefined;
  for (const line of bytes.toString("utf8").split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // A line that goes on with the one before has been given up by HTTP too.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw malformed();
    if (name === "content-transfer-encoding" && !PLAIN.test(value)) throw malformed();
    if (name !== "content-disposition") continue;
    if (disposition !== undefined) throw malformed();
    disposition = value;
  }
  return readDisposition(disposition ?? "");
}

function readDisposition(text: string): PartHead {
  const kind = /^form-data[ \t]*/i.exec(text)?.[0];
  if (kind === undefined) throw malformed();
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = kind.length;
  for (let at = kind.length; at < text.length; at = PARAMETER.lastIndex) {
    const [, parameter = "", quoted, token = ""] = PARAMETER.exec(text) ?? [];
    const name = parameter.toLowerCase();
    if (name === "" || parameters.has(name)) throw malformed();
    parameters.set(name, quoted === undefined ? token : unquote(quoted));
  }
  const name = parameters.get(NAME);
  if (name === undefined || name === "") throw malformed();
  return { name, filename: parameters.get(FILENAME) ?? "" };
}

/** Browsers do not escape the backslash: it is one wherever nothing stands behind it that needs one. */
function unquote(text: string): string {
  return text.replace(/\\(["\\])/g, "$1");
}

function malformed(): S3Error {
  return new S3Error("MalformedPOSTRequest", {});
}
