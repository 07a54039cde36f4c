/** The parser of node:http, asked directly: what another careful reader makes of the same bytes. */

export interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names in lower case and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly isWhole: boolean;
}

export interface Reading {
  readonly messages: readonly Message[];
  /** Why it stopped before the end of the bytes: the code of an error, "upgrade", or undefined. */
  readonly stopped: string | undefined;
}

interface Parser {
  initialize: (kind: number, resource: object, headerBytesMax: number, leniency: number) => void;
  execute: (bytes: Buffer) => number | (Error & { readonly code: string });
  [callback: number]: (...given: never[]) => number | undefined;
}

interface Common {
  readonly HTTPParser: (new () => Parser) & Readonly<Record<string, number>>;
  readonly methods: readonly string[];
}

/** Observed: 2026-11-21, Node 24.21: no other way to it runs within one turn of the event loop. */
const { HTTPParser, methods } = process.getBuiltinModule("_http_common") as unknown as Common;
const STRICT = 0;

interface Open {
  headers: string[];
  target: string;
  body: string;
}

/** As node:http reads a connection, strictly, which is its default. */
export function readByLlhttp(bytes: Buffer, headerBytesMax: number): Reading {
  const messages: Message[] = [];
  let open: Open = { headers: [], target: "", body: "" };
  let head: Omit<Message, "body" | "isWhole"> | undefined;
  let upgrades = false;
  const parser = new HTTPParser();
  parser.initialize(HTTPParser["REQUEST"] ?? 0, {}, headerBytesMax, STRICT);
  parser[HTTPParser["kOnHeaders"] ?? 0] = (headers: string[], target: string) => {
    open.headers.push(...headers);
    open.target += target;
    return undefined;
  };
  parser[HTTPParser["kOnHeadersComplete"] ?? 0] = (
    ...[major, minor, headers, method, target, , , upgrade]: [
      ...[number, number, string[] | undefined, number, string | undefined],
      ...[unknown, unknown, boolean],
    ]
  ) => {
    head = {
      method: methods[method] ?? "another",
      target: open.target + (target ?? ""),
      version: `${major}.${minor}`,
      headers: [...open.headers, ...(headers ?? [])].map((each, at) =>
        at % 2 === 0 ? each.toLowerCase() : each,
      ),
    };
    upgrades ||= upgrade;
    return 0;
  };
  parser[HTTPParser["kOnBody"] ?? 0] = (chunk: Buffer) => {
    open.body += Buffer.from(chunk).toString("latin1");
    return undefined;
  };
  parser[HTTPParser["kOnMessageComplete"] ?? 0] = () => {
    if (head !== undefined) messages.push({ ...head, body: open.body, isWhole: true });
    head = undefined;
    open = { headers: [], target: "", body: "" };
    return undefined;
  };
  const outcome = parser.execute(Buffer.from(bytes));
  if (head !== undefined) messages.push({ ...head, body: open.body, isWhole: false });
  if (typeof outcome !== "number") return { messages, stopped: outcome.code };
  return { messages, stopped: upgrades ? "upgrade" : undefined };
}
