import { call, type Got, type Sent, type Target, textsOf } from "#test/fault/call.ts";
import { digestOf, type Store } from "#test/linear/clients.ts";
import { toldByCode } from "#test/linear/engine-store.ts";
import type { Ask, Told } from "#test/linear/register.ts";

/** A client that waited so long takes its request for lost. */
const PATIENCE_MS = 3_000;
/** Of connections that ended before an answer: nobody knows what the server did. */
const LOST = ["ECONNRESET", "EPIPE", "ABORT_ERR"];

/** Keys of a bucket over HTTP; each request on a connection of its own, so that any worker gets it. */
export function httpStore(target: Target, bucket: string): Store {
  return {
    perform: async (group, ask, body) => {
      const sent = requestOf(`${bucket}/${group}`, ask, body);
      try {
        const signal = AbortSignal.timeout(PATIENCE_MS);
        const path = ask.kind === "list" ? `${bucket}?list-type=2&prefix=${group}/` : sent.path;
        return toldOf(ask, await call(target, { ...sent, path, signal }), group);
      } catch (cause) {
        const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
        if (code === "ECONNREFUSED") return "refused";
        if (LOST.includes(code)) return undefined;
        throw cause;
      }
    },
  };
}

function requestOf(path: string, ask: Ask, body: Buffer): Sent {
  switch (ask.kind) {
    case "put": {
      const { when } = ask;
      const headers = when === "none" ? { "if-none-match": "*" } : has(when?.has);
      return { method: "PUT", path: `${path}/${ask.key}`, headers, body };
    }
    case "delete":
      return { method: "DELETE", path: `${path}/${ask.key}`, headers: has(ask.has) };
    case "copy": {
      const headers = { "x-amz-copy-source": `${path}/${ask.from}` };
      return { method: "PUT", path: `${path}/${ask.to}`, headers };
    }
    case "rename": {
      const onto = ask.when === "none" ? { "if-none-match": "*" } : {};
      const headers = { "x-amz-rename-source": `${path}/${ask.from}`, ...onto };
      return { method: "PUT", path: `${path}/${ask.to}?renameObject`, headers };
    }
    case "get":
      return { method: "GET", path: `${path}/${ask.key}` };
    case "list":
      return { method: "GET", path };
  }
}

function has(value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { "if-match": value === "*" ? "*" : `"${value}"` };
}

function toldOf(ask: Ask, { status, code = "", body }: Got, group: string): Told | undefined {
  if (status === 200 || status === 204) return done(ask, body, group);
  // The stores could not say whether it happened.
  if (code === "ServiceUnavailable") return undefined;
  const told = toldByCode(code);
  if (told === undefined) throw new Error(`${JSON.stringify(ask)}: ${status} ${body}`);
  return told;
}

function done(ask: Ask, body: Buffer, group: string): Told {
  const kind = "done";
  if (ask.kind === "get") return { kind, value: digestOf(body) };
  if (ask.kind === "copy") return { kind, value: etagsIn(body)[0] ?? "" };
  if (ask.kind !== "list") return { kind };
  const etags = etagsIn(body);
  const keys = textsOf(body.toString(), "Key").map((key) => key.slice(group.length + 1));
  return { kind, keys: Object.fromEntries(keys.map((key, at) => [key, etags[at] ?? ""])) };
}

function etagsIn(body: Buffer): string[] {
  return textsOf(body.toString(), "ETag").map((text) => text.replaceAll(/&quot;|"|&#34;/g, ""));
}
