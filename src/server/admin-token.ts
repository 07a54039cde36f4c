import { existsSync, readFileSync } from "node:fs";
import { StorageError } from "#base/error.ts";
import { randomBytes } from "#base/random.ts";
import type { DataDirectory } from "#server/data-directory.ts";
import { writeDurably } from "#server/durable-file.ts";

export interface AdminToken {
  readonly token: string;
  /** Where it is kept; undefined when it was given. */
  readonly path: string | undefined;
}

/** The operator's token: the given one, unless it is empty, or the one that the first start made, or a new one. */
export function adminToken(
  { adminToken: path }: Pick<DataDirectory, "adminToken">,
  given: string | undefined,
): AdminToken {
  if (given !== undefined && given !== "") return { token: given, path: undefined };
  if (!existsSync(path)) {
    writeDurably(path, `lode_operator_${randomBytes(32).toString("base64url")}\n`);
  }
  const token = readFileSync(path, "utf8").trim();
  if (/^\S{16,}$/.test(token)) return { token, path };
  throw new StorageError("corrupt", `${path} holds no token. Delete it to have a new one made.`);
}
