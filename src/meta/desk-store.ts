import { connect, type Socket } from "node:net";
import { deadline } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import type { Soon } from "#base/soon.ts";
import { changeBytes, writeChange } from "#meta/change-codec.ts";
import { type Outcome, readAnswer } from "#meta/desk-answer.ts";
import { FRAME_BYTES_MAX, FrameReader, LENGTH_BYTES } from "#meta/frames.ts";
import type { PackedEntries } from "#meta/packed.ts";
import type { PendingCommit } from "#meta/pending-commit.ts";
import { Solitude } from "#meta/solitude.ts";
import type { Change, Entry, KeyRange, MetaStore, PackedRange, Snapshot } from "#meta/store.ts";

/** After which a desk that is not there is looked for again. */
const AGAIN_MS = 500;
const ID_BYTES = 4;

/**
 * A store that several processes have open: reads are its own, changes are committed by the one at the desk
 * (see commit-desk.ts), together with those of the others. Where nobody is at the desk, or nobody else commits, it
 * does so by itself: the way to another process and back costs more than a sync of a fast disk.
 */
export class DeskMetaStore implements MetaStore {
  readonly #own: MetaStore;
  readonly #path: string;
  #socket: Socket | undefined;
  /** Of this turn of the event loop. */
  #outgoing: PendingCommit[] = [];
  /**
   * At the desk, by their ids, which are used again. Not a Map, in which so much coming and going would bring
   * all that passes into V8's old space (see under-way.ts).
   */
  #handed: (PendingCommit | undefined)[] = [];
  #freeIds: number[] = [];
  readonly #solitude = new Solitude();
  #isOver = false;
  #allAnswered: (() => void) | undefined;

  private constructor(own: MetaStore, path: string) {
    this.#own = own;
    this.#path = path;
  }

  /** Resolves when the desk was reached, or could not be. */
  static async open(own: MetaStore, path: string): Promise<DeskMetaStore> {
    const store = new DeskMetaStore(own, path);
    await store.#reach();
    return store;
  }

  get(key: Uint8Array): Soon<Entry | undefined> {
    return this.#own.get(key);
  }

  scan(range: KeyRange): Promise<Entry[]> {
    return this.#own.scan(range);
  }

  scanPacked(range: PackedRange): Promise<PackedEntries> {
    return this.#own.scanPacked(range);
  }

  snapshot(): Snapshot {
    return this.#own.snapshot();
  }

  async commit(change: Change): Promise<number | undefined> {
    const isByItself = this.#socket === undefined || this.#solitude.isAlone;
    const before = this.#solitude.last;
    const sequence = await (isByItself ? this.#own.commit(change) : this.#commitAtDesk(change));
    this.#solitude.saw(before, sequence);
    return sequence;
  }

  #commitAtDesk(change: Change): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      // What comes in this turn of the event loop goes out in one piece.
      if (this.#outgoing.length === 0) setImmediate(() => this.#hand());
      this.#outgoing.push({ change, resolve, reject });
    });
  }

  /** Waits for what is at the desk. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    if (!this.#isAtRest) {
      await new Promise<void>((resolve) => {
        this.#allAnswered = resolve;
      });
    }
    this.#socket?.destroy();
    await this.#own[Symbol.asyncDispose]();
  }

  async #reach(): Promise<void> {
    const socket = connect(this.#path);
    const reader = new FrameReader((frame) => this.#hear(readAnswer(frame)));
    socket.on("data", (piece: Buffer) => {
      try {
        reader.feed(piece);
      } catch {
        // Whoever answers like this is not at our desk: what it has is of unknown outcome.
        socket.destroy();
      }
    });
    await new Promise<void>((resolve) => {
      socket.once("connect", () => {
        this.#socket = socket;
        resolve();
      });
      // "close" follows.
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#lose();
        resolve();
      });
    });
  }

  #lose(): void {
    this.#socket = undefined;
    const lost = this.#handed;
    this.#handed = [];
    this.#freeIds = [];
    const text = "the process that commits has ended: whether this was applied is not known";
    for (const waiting of lost) waiting?.reject(new StorageError("unavailable", text));
    this.#rest();
    if (this.#isOver) return;
    deadline(AGAIN_MS, () => {
      if (!this.#isOver) this.#reach().catch(() => undefined);
    });
  }

  #hand(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    const frames: { readonly waiting: PendingCommit; readonly bytes: number }[] = [];
    let total = 0;
    for (const waiting of outgoing) {
      const bytes = ID_BYTES + changeBytes(waiting.change);
      if (this.#socket === undefined || bytes > FRAME_BYTES_MAX) {
        this.#own.commit(waiting.change).then(waiting.resolve, waiting.reject);
        continue;
      }
      frames.push({ waiting, bytes });
      total += LENGTH_BYTES + bytes;
    }
    const text = Buffer.allocUnsafe(total);
    let at = 0;
    for (const { waiting, bytes } of frames) {
      const id = this.#freeIds.pop() ?? this.#handed.length;
      this.#handed[id] = waiting;
      text.writeUInt32LE(bytes, at);
      text.writeUInt32LE(id, at + LENGTH_BYTES);
      at = writeChange(text, at + LENGTH_BYTES + ID_BYTES, waiting.change);
    }
    if (total > 0) this.#socket?.write(text);
    this.#rest();
  }

  #hear(outcome: Outcome): void {
    const { id } = outcome;
    const waiting = this.#handed[id];
    // Nobody waits for it: an answer that comes twice would free its id twice.
    if (waiting === undefined) return;
    this.#handed[id] = undefined;
    this.#freeIds.push(id);
    if ("failure" in outcome) waiting.reject(outcome.failure);
    else waiting.resolve(outcome.sequence);
    this.#rest();
  }

  get #isAtRest(): boolean {
    return this.#outgoing.length === 0 && this.#freeIds.length === this.#handed.length;
  }

  #rest(): void {
    if (this.#isAtRest) this.#allAnswered?.();
  }
}
