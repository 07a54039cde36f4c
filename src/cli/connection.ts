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
  const url = said(given.text("admin-url")) ?? said(environment["LODE_ADMIN_URL"]) ?? DEFAULT_URL;
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--admin-url "${url}": give a URL, as ${DEFAULT_URL}.`);
  }
  const token = said(given.text("token")) ?? said(environment["LODE_ADMIN_TOKEN"]);
  const kept = url === DEFAULT_URL ? keptToken(environment) : undefined;
  return { url, token: token ?? kept, organizationId: given.text("org") };
}

/** What is empty, as a variable that a script has not set, is as if it were not there. */
function said(text: string | undefined): string | undefined {
  return text?.trim() === "" ? undefined : text?.trim();
}

function keptToken(environment: Environment): string | undefined {
  try {
    const data = said(environment["LODE_DATA"]) ?? "data";
    return said(readFileSync(join(data, "admin-token"), "utf8"));
  } catch {
    // There is none, or it is not for this user: the server says what is needed.
    return undefined;
  }
}
