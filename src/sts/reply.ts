import type { HttpReply } from "#base/http.ts";
import { tag, wrap } from "#base/xml.ts";
import type { StsError } from "#sts/sts-error.ts";

const XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/";

/** The answer of an action; `inner` is what its result holds. */
export function resultReply(action: string, inner: string, requestId: string): HttpReply {
  const metadata = wrap("ResponseMetadata", tag("RequestId", requestId));
  const body = wrap(`${action}Result`, inner) + metadata;
  return reply(200, document(`${action}Response`, body));
}

export function errorReply({ code, status, message }: StsError, requestId: string): HttpReply {
  const type = status < 500 ? "Sender" : "Receiver";
  const error = wrap("Error", tag("Type", type) + tag("Code", code) + tag("Message", message));
  return reply(status, document("ErrorResponse", error + tag("RequestId", requestId)));
}

function document(name: string, inner: string): string {
  return `<${name} xmlns="${XMLNS}">${inner}</${name}>\n`;
}

/** Answers carry secrets. */
function reply(status: number, body: string): HttpReply {
  const headers = {
    "content-type": "text/xml",
    "cache-control": "no-store",
    "content-length": String(Buffer.byteLength(body)),
  };
  return { status, headers, body };
}
