import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "#cli/api.ts";
import { UsageError } from "#cli/failure.ts";
import type { Given } from "#cli/given.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_URL = "http://127.0.0.1:9001";

/**
 * Which server, and as whom. The token of the data directory is sent to the server of this machine
 * alone: where another one is named, a token must be too.
 */
export function connectionOf(given: Given, environment: Environment): Connection {
  const named = given.text("admin-url") ?? environment["LODE_ADMIN_URL"];
  const url = named === undefined || named === "" ? DEFAULT_URL : named;
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--admin-url "${url}": give a URL, as ${DEFAULT_URL}.`);
  }
  const token = given.text("token") ?? environment["LODE_ADMIN_TOKEN"];
  const kept = url === DEFAULT_URL ? keptToken(environment) : undefined;
  return { url, token: token === "" ? kept : (token ?? kept), organizationId: given.text("org") };
}

function keptToken(environment: Environment): string | undefined {
  try {
    const text = readFileSync(join(environment["LODE_DATA"] ?? "data", "admin-token"), "utf8");
    return text.trim() === "" ? undefined : text.trim();
  } catch {
    // There is none, or it is not for this user: the server says what is needed.
    return undefined;
  }
}
