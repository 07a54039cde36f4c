import type { Lookup } from "#access/condition-keys.ts";
import type { HttpRequest } from "#base/http.ts";

/** What a request of the control API gives for a condition key. */
export function requestLookup(http: HttpRequest, nowMs: number): Lookup {
  return (key) => {
    const value = givenFor(key, http, nowMs);
    return value === undefined ? undefined : [value];
  };
}

function givenFor(key: string, http: HttpRequest, nowMs: number): string | undefined {
  switch (key) {
    case "aws:CurrentTime":
      return new Date(nowMs).toISOString();
    case "aws:EpochTime":
      return String(Math.floor(nowMs / 1_000));
    case "aws:Referer":
      return headerOf(http, "referer");
    case "aws:SecureTransport":
      return String(http.secure);
    case "aws:SourceIp":
      return http.remoteAddress;
    case "aws:UserAgent":
      return headerOf(http, "user-agent");
    default:
      return undefined;
  }
}

/** The first of that name, which is in lower case. */
export function headerOf({ rawHeaders }: HttpRequest, name: string): string | undefined {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) return rawHeaders[at + 1];
  }
  return undefined;
}
