/**
 * The methods that HTTP knows. Another one is no request: S3 has no use for it, and whoever stands before
 * us may read it in another way.
 *
 * Spec: https://www.iana.org/assignments/http-methods
 */
export const METHODS: ReadonlyMap<string, string> = new Map(
  [
    ...["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"],
    ...["ACL", "BIND", "CHECKOUT", "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR"],
    ...["MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND"],
    ...["UNLINK", "UNLOCK"],
  ].map((name) => [name, name]),
);

export const METHOD_CHARS_MAX = 16;
