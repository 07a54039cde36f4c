/** Why each status, in the words of RFC 9110. Not from node:http, whose import costs every worker much more. */
export const REASONS: ReadonlyMap<number, string> = new Map([
  ...([
    [200, "OK"],
    [201, "Created"],
    [202, "Accepted"],
    [204, "No Content"],
  ] as const),
  ...([
    [206, "Partial Content"],
    [301, "Moved Permanently"],
    [302, "Found"],
  ] as const),
  ...([
    [303, "See Other"],
    [304, "Not Modified"],
    [307, "Temporary Redirect"],
  ] as const),
  ...([
    [308, "Permanent Redirect"],
    [400, "Bad Request"],
    [401, "Unauthorized"],
  ] as const),
  ...([
    [403, "Forbidden"],
    [404, "Not Found"],
    [405, "Method Not Allowed"],
  ] as const),
  ...([
    [406, "Not Acceptable"],
    [408, "Request Timeout"],
    [409, "Conflict"],
    [410, "Gone"],
  ] as const),
  ...([
    [411, "Length Required"],
    [412, "Precondition Failed"],
  ] as const),
  ...([
    [413, "Content Too Large"],
    [414, "URI Too Long"],
  ] as const),
  ...([
    [415, "Unsupported Media Type"],
    [416, "Range Not Satisfiable"],
  ] as const),
  ...([
    [417, "Expectation Failed"],
    [421, "Misdirected Request"],
  ] as const),
  ...([
    [422, "Unprocessable Content"],
    [428, "Precondition Required"],
  ] as const),
  ...([
    [429, "Too Many Requests"],
    [431, "Request Header Fields Too Large"],
  ] as const),
  ...([
    [500, "Internal Server Error"],
    [501, "Not Implemented"],
    [502, "Bad Gateway"],
  ] as const),
  ...([
    [503, "Service Unavailable"],
    [504, "Gateway Timeout"],
  ] as const),
  ...([[507, "Insufficient Storage"]] as const),
]);
