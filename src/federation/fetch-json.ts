import { lookup as resolve } from "node:dns";
import { get as httpGet, type IncomingMessage, type RequestOptions } from "node:http";
import { get as httpsGet } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { deadline } from "#base/clock.ts";
import { addressKind } from "#federation/address-kind.ts";

export interface JsonFetch {
  readonly url: URL;
  /** Whether the host may have a private address. */
  readonly privateNetwork: boolean;
  /** For the whole of the answer; five seconds when absent. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const BODY_BYTES_MAX = 256 * 1_024;
const HEADER_BYTES_MAX = 16 * 1_024;

/**
 * Gets a small JSON document from somebody else's server: status 200 or nothing, no redirect followed,
 * 256 KiB and five seconds at the most. The addresses of the host are looked at when they have been
 * resolved, and the connection goes to those, so that a name cannot lead anywhere else in between.
 *
 * Fails: Error, whose message says why.
 */
export async function fetchJson(fetch: JsonFetch): Promise<unknown> {
  const { url, privateNetwork, timeoutMs = TIMEOUT_MS } = fetch;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  // A literal address is never looked up.
  if (isIP(host) !== 0) requireReachable(host, privateNetwork);
  const options: RequestOptions = {
    // No connection that somebody else opened, under other rules.
    agent: false,
    lookup: checkedLookup(privateNetwork),
    headers: { accept: "application/json", "accept-encoding": "identity", "user-agent": "lode" },
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  return parse(await bytesOf(url, { ...options, timeoutMs }));
}

interface Request extends RequestOptions {
  readonly timeoutMs: number;
}

async function bytesOf(url: URL, { timeoutMs, ...options }: Request): Promise<Buffer> {
  const get = url.protocol === "https:" ? httpsGet : httpGet;
  return await new Promise((resolve, reject) => {
    const request = get(url, options, (response) => {
      read(response).then(resolve, (cause) => {
        request.destroy();
        reject(cause);
      });
    });
    const timer = deadline(timeoutMs, () =>
      request.destroy(new Error(`no whole answer within ${timeoutMs} milliseconds`)),
    );
    request.once("close", () => timer.cancel());
    request.once("error", reject);
  });
}

async function read(response: IncomingMessage): Promise<Buffer> {
  const { statusCode } = response;
  if (statusCode !== 200) throw new Error(`it answered ${statusCode}, not 200`);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) throw new Error(`it is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new Error("it is no JSON", { cause });
  }
}

/** Gives a socket only addresses that it may connect to. */
function checkedLookup(privateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (failure, addresses) => {
      const [first] = addresses ?? [];
      const problem = failure ?? problemOf(addresses, privateNetwork);
      if (problem !== undefined || first === undefined) {
        callback(problem ?? new Error("it has no address"), "", 0);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** One bad address among good ones is no accident. */
function problemOf(
  addresses: readonly { readonly address: string }[],
  privateNetwork: boolean,
): Error | undefined {
  try {
    for (const { address } of addresses) requireReachable(address, privateNetwork);
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause));
  }
}

function requireReachable(address: string, privateNetwork: boolean): void {
  const kind = addressKind(address);
  if (kind === "public" || (kind === "private" && privateNetwork)) return;
  const mend =
    kind === "private" ? " An operator may allow it with privateNetwork in the configuration." : "";
  throw new Error(`its address is not one to connect to.${mend}`);
}
