import type { Head } from "#server/http1/head-parser.ts";

/** What a head says of the bytes behind it, and of its connection. */
export interface Framing {
  /** Of the body; "chunked" when only its coding tells. */
  readonly bodyBytes: number | "chunked";
  /** The client waits for "100 Continue" before it sends the body. */
  readonly expects: boolean;
  readonly keepsAlive: boolean;
  /** Of HTTP/1.0, and it asked to keep the connection: it needs to be told. */
  readonly tellsKept: boolean;
}

/** Of the headers that frame, how often each came, and its value. */
interface Found {
  hosts: number;
  lengths: number;
  codings: number;
  length: string;
  coding: string;
  connection: string;
  expect: string;
}

/**
 * How a request is framed, or undefined when two readers could frame it in two ways: a length and a coding, more
 * than one of either, a length that is no plain number, a coding other than `chunked`, a host that is missing or
 * said twice.
 *
 * Spec: https://www.rfc-editor.org/rfc/rfc9112#section-6.3, #section-3.2, #section-9.3; https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
 */
export function framingOf({ minorVersion, rawHeaders }: Head): Framing | undefined {
  const found = find(rawHeaders);
  if (found.hosts > 1 || (found.hosts === 0 && minorVersion > 0)) return undefined;
  if (found.lengths + found.codings > 1) return undefined;
  const bodyBytes = found.codings > 0 ? codedBody(found, minorVersion) : lengthOf(found);
  if (bodyBytes === undefined) return undefined;
  const keepsAlive = isKept(found.connection, minorVersion);
  return {
    bodyBytes,
    expects: minorVersion > 0 && found.expect !== "" && expectsContinue(found.expect),
    keepsAlive,
    tellsKept: keepsAlive && minorVersion === 0,
  };
}

function find(rawHeaders: readonly string[]): Found {
  const found: Found = {
    hosts: 0,
    lengths: 0,
    codings: 0,
    length: "",
    coding: "",
    connection: "",
    expect: "",
  };
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    note(found, rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return found;
}

function note(found: Found, name: string, value: string): void {
  switch (name) {
    case "host":
      found.hosts += 1;
      break;
    case "content-length":
      found.lengths += 1;
      found.length = value;
      break;
    case "transfer-encoding":
      found.codings += 1;
      found.coding = value;
      break;
    case "connection":
      found.connection = found.connection === "" ? value : `${found.connection},${value}`;
      break;
    case "expect":
      found.expect = found.expect === "" ? value : `${found.expect},${value}`;
      break;
  }
}

function isKept(connection: string, minorVersion: number): boolean {
  if (minorVersion > 0 && (connection === "" || connection === "keep-alive")) return true;
  const asks = listOf(connection);
  return (minorVersion > 0 || asks.includes("keep-alive")) && !asks.includes("close");
}

/** HTTP/1.0 knows no codings: what comes with one was framed by somebody else. */
function codedBody({ coding }: Found, minorVersion: number): "chunked" | undefined {
  return minorVersion > 0 && coding.toLowerCase() === "chunked" ? "chunked" : undefined;
}

function lengthOf({ lengths, length }: Found): number | undefined {
  if (lengths === 0) return 0;
  // So many digits hold every safe integer.
  if (!/^\d{1,16}$/.test(length)) return undefined;
  const bytes = Number(length);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Another expectation is no reason to refuse, RFC 9110 says, and AWS does not. */
function expectsContinue(expect: string): boolean {
  return listOf(expect).includes("100-continue");
}

function listOf(value: string): string[] {
  return value.split(",").map((each) => each.trim().toLowerCase());
}
