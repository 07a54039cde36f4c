import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { StorageError } from "#base/error.ts";
import { readChange } from "#meta/change-codec.ts";
import { answerBytes, type Outcome, writeAnswer } from "#meta/desk-answer.ts";
import { FrameReader } from "#meta/frames.ts";
import type { MetaStore } from "#meta/store.ts";

/** Of changes of one process that are not answered: then no more of it is read. */
const HELD_BYTES_MAX = 8 * 2 ** 20;
const ID_BYTES = 4;

/**
 * Commits for other processes, so that all that wait, wherever they came in, share one transaction and its
 * syncs. `path` is that of a UNIX socket which only this user can connect to.
 *
 * Fails: what `listen` fails with, as on a file system without sockets.
 */
export async function serveCommits(store: MetaStore, path: string): Promise<Server> {
  const server = createServer((socket) => new Desk(store, socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

/** One process that has its changes committed here. */
class Desk {
  readonly #store: MetaStore;
  readonly #socket: Socket;
  #answers: Outcome[] = [];
  #heldBytes = 0;

  constructor(store: MetaStore, socket: Socket) {
    this.#store = store;
    this.#socket = socket;
    const reader = new FrameReader((frame) => this.#commit(frame));
    socket.on("data", (piece: Buffer) => {
      try {
        reader.feed(piece);
      } catch {
        // It is of no use to go on with one who sends what is no frame; those it waits for are told by the end.
        socket.destroy();
      }
    });
    // "close" follows, and nobody is left to be told.
    socket.on("error", () => undefined);
  }

  #commit(frame: Buffer): void {
    const id = frame.readUInt32LE(0);
    const change = readChange(frame, ID_BYTES);
    this.#heldBytes += frame.length;
    if (this.#heldBytes > HELD_BYTES_MAX) this.#socket.pause();
    this.#store.commit(change).then(
      (sequence) => this.#answer({ id, sequence }, frame.length),
      (cause: unknown) => this.#answer({ id, failure: asFailure(cause) }, frame.length),
    );
  }

  #answer(outcome: Outcome, bytes: number): void {
    this.#heldBytes -= bytes;
    if (this.#heldBytes <= HELD_BYTES_MAX && this.#socket.isPaused()) this.#socket.resume();
    // All of a transaction are told at once.
    if (this.#answers.length === 0) process.nextTick(() => this.#tell());
    this.#answers.push(outcome);
  }

  #tell(): void {
    const answers = this.#answers;
    this.#answers = [];
    const bytes = Buffer.allocUnsafe(answers.reduce((sum, next) => sum + answerBytes(next), 0));
    answers.reduce((at, next) => writeAnswer(bytes, at, next), 0);
    if (this.#socket.writable) this.#socket.write(bytes);
  }
}

function asFailure(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  return new StorageError("unavailable", `metadata commit failed: ${String(cause)}`, cause);
}
