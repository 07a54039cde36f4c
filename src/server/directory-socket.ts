import { chmodSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { deadline, keepAlive } from "#base/clock.ts";
import { randomHex } from "#base/random.ts";
import { isForsaken, SOCKET_PATH_BYTES_MAX } from "#server/socket-path.ts";

const NAME = "server.sock";
/** Two that look at the same moment both find nobody: this much later the first finds the other's in place of its own. */
const SETTLED_MS = 50;

/**
 * Holds a directory by a socket in it, which is seen from wherever the directory is: from other containers too, whose
 * processes are in other name spaces. LMDB cannot tell processes of several apart; two of them would write over each other.
 *
 * "taken": somebody else has it. undefined: there can be no socket there, as on some file systems, and nobody can tell.
 */
export async function holdSocket(
  directory: string,
): Promise<AsyncDisposable | "taken" | undefined> {
  const path = join(directory, NAME);
  const temporary = join(directory, `${randomHex(4)}.${NAME}`);
  if (Buffer.byteLength(temporary) > SOCKET_PATH_BYTES_MAX) return undefined;
  if (!(await isForsaken(path))) return "taken";
  const server = await listening(temporary);
  if (server === undefined) return undefined;
  const own = statSync(temporary).ino;
  // Who was killed has left its name, which this takes.
  renameSync(temporary, path);
  await settled();
  if (inodeOf(path) !== own) return "taken";
  return {
    [Symbol.asyncDispose]: async () => {
      if (inodeOf(path) === own) rmSync(path, { force: true });
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function settled(): Promise<void> {
  using _ = keepAlive();
  await new Promise<void>((resolve) => {
    deadline(SETTLED_MS, resolve);
  });
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

async function listening(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ path, exclusive: true }, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}
