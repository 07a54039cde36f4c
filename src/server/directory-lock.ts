import { rmSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deadline } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { isForsaken } from "#server/socket-path.ts";

/** What those say who only finish what they had begun. Whoever has it in earnest says nothing. */
const FINISHING = "finishing\n";
/** What they are told by who wants it. */
const WANTED = "wanted\n";
/** Who has said nothing for so long has it in earnest. */
const SILENT_MS = 5_000;
/** So often somebody must have said nothing: who ends at that moment says nothing either. */
const SILENCES = 3;
/** More than there are workers. */
const ATTEMPTS_MAX = 200;

/**
 * Takes a directory for this process: a listening socket named after the directory's identity, held while the
 * process lives, and gone with it however it dies. On Linux in the abstract name space, elsewhere a file in
 * the temporary directory. It keeps two servers of one machine apart by mistake; safety does not rest on it,
 * since every commit is guarded whoever makes it.
 *
 * From those that only finish what they had begun it is taken. Fails: StorageError "conflict".
 */
export async function takeLock(path: string): Promise<Server> {
  const server = await taken(path, { word: WANTED, accept: (socket) => socket.destroy() });
  if (server !== undefined) return server;
  throw inUse(path);
}

export function inUse(path: string): StorageError {
  const message = `the data directory ${path} is in use by another Lode server. Stop that one, or choose another with --data.`;
  return new StorageError("conflict", message);
}

/**
 * Keeps a directory, beside others who do the same, while what was begun there is finished. Resolves when
 * somebody has it in earnest, or wants it: it is theirs when this process has ended, which is to be at once.
 */
export async function keepToFinish(path: string): Promise<void> {
  const wanted = Promise.withResolvers<void>();
  const accept = (socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => wanted.resolve());
    socket.write(FINISHING);
  };
  const server = await taken(path, { word: undefined, accept });
  if (server !== undefined) await wanted.promise;
}

interface Taking {
  /** For who has it and only finishes. */
  readonly word: string | undefined;
  /** What becomes of those who ask for it later. */
  readonly accept: (socket: Socket) => void;
}

/** undefined: somebody has it in earnest. */
async function taken(path: string, { word, accept }: Taking): Promise<Server | undefined> {
  const name = nameOf(path);
  let silences = 0;
  for (let attempt = 0; attempt < ATTEMPTS_MAX && silences < SILENCES; attempt += 1) {
    const server = await bound(name, accept);
    if (server !== undefined) return server;
    silences = (await isFinished(name, word)) ? 0 : silences + 1;
  }
  return undefined;
}

function nameOf(path: string): string {
  const { dev, ino } = statSync(path);
  if (process.platform === "linux") return `\0lode-data-${dev}-${ino}`;
  return join(tmpdir(), `lode-data-${dev}-${ino}.sock`);
}

/** undefined: somebody has it. */
async function bound(name: string, accept: (socket: Socket) => void): Promise<Server | undefined> {
  // A file outlives its process.
  if (!name.startsWith("\0") && (await isForsaken(name))) rmSync(name, { force: true });
  const server = createServer(accept);
  server.unref();
  return await new Promise((resolve, reject) => {
    server.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EADDRINUSE") resolve(undefined);
      else reject(cause);
    });
    // Else a worker of node:cluster would ask its supervisor for a shared one.
    server.listen({ path: name, exclusive: true }, () => resolve(server));
  });
}

/** Whether who has it had only something to finish: then it resolves when they have ended. */
async function isFinished(name: string, word: string | undefined): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(name);
    const timer = deadline(SILENT_MS, () => {
      resolve(false);
      socket.destroy();
    });
    let said = "";
    // Nobody has it any more, or they have ended by now: "close" follows.
    socket.on("error", () => undefined);
    socket.once("connect", () => {
      if (word !== undefined) socket.write(word);
    });
    socket.on("data", (piece: Buffer) => {
      said += piece.toString();
      // Who does not ask for it waits for as long as they take.
      if (word === undefined) timer.cancel();
    });
    socket.once("close", () => {
      timer.cancel();
      resolve(said === FINISHING);
    });
  });
}
