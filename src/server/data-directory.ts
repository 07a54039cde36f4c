import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StorageError } from "#base/error.ts";
import { randomBelow, randomBytes } from "#base/random.ts";
import { inUse, takeLock } from "#server/directory-lock.ts";
import { holdSocket } from "#server/directory-socket.ts";
import { writeDurably } from "#server/durable-file.ts";

/**
 * What stands in a data directory: `metadata/` (LMDB), `blobs/`, `credentials`, `admin-token`, `master-key`,
 * `master-key-ids`, `format.json`.
 */
export interface DataDirectory extends AsyncDisposable {
  readonly metadata: string;
  readonly blobs: string;
  /** Audit records that wait for delivery. */
  readonly audit: string;
  /** The root key, in the form of an AWS credentials file, mode 0600. */
  readonly credentials: string;
  /** The operator's token for the control API, mode 0600. */
  readonly adminToken: string;
  /** The master keys, unless they are kept elsewhere. */
  readonly masterKey: string;
  /** Which master keys something here may be encrypted under. */
  readonly masterKeyIds: string;
}

export interface RootKey {
  readonly accessKeyId: string;
  readonly secret: string;
  /** It has just been made: the only time that it is shown. */
  readonly fresh: boolean;
}

/** Of everything in the directory together. A release that cannot read a format must not touch it. */
const FORMAT = 1;

/**
 * Takes a data directory for this process, making it when it is missing.
 * Fails: StorageError "conflict" when another server has it, or when its format is not ours;
 * "unavailable" when it cannot be made or written.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  writable(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  await using held = new AsyncDisposableStack();
  held.use(await takeLock(path));
  const directory = dataDirectoryAt(path);
  const socket = await holdSocket(path);
  if (socket === "taken") throw inUse(path);
  held.use(socket);
  const kept = held.move();
  return { ...directory, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

/** Where things are, for who stands beside the server that has it. Fails: StorageError "conflict". */
export function dataDirectoryAt(path: string): DataDirectory {
  writable(path, () => checkFormat(path));
  return {
    metadata: join(path, "metadata"),
    blobs: join(path, "blobs"),
    audit: join(path, "audit"),
    credentials: join(path, "credentials"),
    adminToken: join(path, "admin-token"),
    masterKey: join(path, "master-key"),
    masterKeyIds: join(path, "master-key-ids"),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Says of what the system refuses which setting it is about. */
function writable(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const message = `--data ${path}: it cannot be made or written (${cause}). Name a directory that this user can write.`;
    throw new StorageError("unavailable", message, cause);
  }
}

/** Reads the root key that the first start made, or makes it. */
export function rootKey({ credentials }: Pick<DataDirectory, "credentials">): RootKey {
  if (existsSync(credentials)) {
    const text = readFileSync(credentials, "utf8");
    const accessKeyId = /^aws_access_key_id\s*=\s*(\S+)/m.exec(text)?.[1];
    const secret = /^aws_secret_access_key\s*=\s*(\S+)/m.exec(text)?.[1];
    if (accessKeyId !== undefined && secret !== undefined) {
      return { accessKeyId, secret, fresh: false };
    }
    throw new StorageError(
      "corrupt",
      `${credentials} holds no key. Delete it to have a new one made.`,
    );
  }
  const accessKeyId = `LODE${Array.from({ length: 16 }, () => LETTERS[randomBelow(LETTERS.length)]).join("")}`;
  const secret = randomBytes(30).toString("base64url");
  const text = `# The root key of this Lode server. Delete the file to have a new one made at the next start.\n[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`;
  writeDurably(credentials, text);
  return { accessKeyId, secret, fresh: true };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function checkFormat(path: string): void {
  const file = join(path, "format.json");
  if (!existsSync(file)) {
    if (existsSync(join(path, "metadata"))) {
      throw new StorageError(
        "conflict",
        `${path} has data but no format.json: it is not a Lode data directory, or it was damaged. Choose another with --data.`,
      );
    }
    writeDurably(file, `${JSON.stringify({ format: FORMAT })}\n`);
    return;
  }
  const format = readFormat(file);
  if (format !== FORMAT) {
    throw new StorageError(
      "conflict",
      `${path} has format ${format}, and this release of Lode reads format ${FORMAT}. Use the release that wrote it, or another --data directory.`,
    );
  }
}

/** "unknown" when the file does not say. */
function readFormat(file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return (JSON.parse(text) as { format?: unknown }).format ?? "unknown";
  } catch {
    return "unknown";
  }
}
