import { existsSync, readFileSync } from "node:fs";
import { StorageError } from "#base/error.ts";
import { Keyring } from "#base/keyring.ts";
import { randomBytes } from "#base/random.ts";
import type { DataDirectory } from "#server/data-directory.ts";
import { writeDurably } from "#server/durable-file.ts";

type Files = Pick<DataDirectory, "masterKey" | "masterKeyIds">;

const MASTER_KEY = /^[0-9a-f]{64}$/i;
const KEY_ID = /^[0-9a-f]{16}$/;

/**
 * Reads the master keys, each of 64 hexadecimal digits, the sealing one first; makes one in the data
 * directory at the first start when none is given. Every key that ever sealed must be among them:
 * without it objects would fail one by one, so the server does not start.
 *
 * Fails: StorageError "unavailable", "corrupt"; "conflict" when a key is missing.
 */
export function masterKeys(files: Files, given: string | undefined): readonly string[] {
  const path = given ?? files.masterKey;
  const needed = neededIds(files);
  if (given === undefined && !existsSync(path)) {
    if (needed.length > 0) throw lost(files);
    writeDurably(path, newKeyText());
  }
  const keys = linesOf(path, "--master-key-file ");
  if (keys.length === 0 || !keys.every((key) => MASTER_KEY.test(key))) {
    const message = `${path}: each line must be a master key of 64 hexadecimal digits, as "openssl rand -hex 32" makes, and there must be one.`;
    throw new StorageError("corrupt", message);
  }
  const ring = Keyring.fromHex(keys);
  const missing = needed.filter((id) => !ring.keyIds.includes(id));
  if (missing.length > 0) throw notHeld(missing, path, files);
  if (!needed.includes(ring.sealingKeyId)) {
    writeDurably(files.masterKeyIds, idsText([...needed, ring.sealingKeyId]));
  }
  return keys;
}

/** Of the keys that something here may be encrypted under. Fails: StorageError "corrupt". */
function neededIds({ masterKeyIds }: Files): readonly string[] {
  if (!existsSync(masterKeyIds)) return [];
  const ids = linesOf(masterKeyIds, "");
  if (ids.length > 0 && ids.every((id) => KEY_ID.test(id))) return ids;
  const message = `${masterKeyIds}: each line must be the id of a master key, 16 hexadecimal digits. Put the file back as it was.`;
  throw new StorageError("corrupt", message);
}

/** What is neither empty nor a comment. Fails: StorageError "unavailable". */
function linesOf(path: string, setting: string): readonly string[] {
  const lines = readText(path, setting).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

function readText(path: string, setting: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `${setting}${path}: it cannot be read (${cause}). Name a file that this user can read.`;
    throw new StorageError("unavailable", message, cause);
  }
}

function newKeyText(): string {
  return `# The master key of this Lode server: whoever has it can read what is encrypted at rest, and\n# without it that is lost. To change it, put a new line of 64 hexadecimal digits above the old.\n${randomBytes(32).toString("hex")}\n`;
}

function idsText(ids: readonly string[]): string {
  return `# Ids of the master keys that something here may be encrypted under: the server does not start\n# without them. When nothing is encrypted under one any more, take its line away.\n${ids.join("\n")}\n`;
}

function lost({ masterKey, masterKeyIds }: Files): StorageError {
  const message = `${masterKey} is gone, and what is encrypted here cannot be read without it. Put it back from its copy, or name another with --master-key-file. Only when nothing is encrypted yet: delete ${masterKeyIds} to have a new one made.`;
  return new StorageError("conflict", message);
}

function notHeld(ids: readonly string[], path: string, { masterKeyIds }: Files): StorageError {
  const one = ids.length === 1;
  const message = `${path} lacks the master ${one ? "key" : "keys"} with the ${one ? "id" : "ids"} ${ids.join(", ")}, which something here may be encrypted under. Add ${one ? "its line" : "their lines"} below the first; or, when nothing is any more, take ${one ? "the id" : "the ids"} out of ${masterKeyIds}.`;
  return new StorageError("conflict", message);
}
