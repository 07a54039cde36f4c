import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Database, open, type RootDatabase, type Transaction } from "lmdb";
import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import { StorageError } from "#base/error.ts";
import { writeStamp } from "#base/stamp.ts";
import { commitFailure } from "#meta/commit-failure.ts";
import { addInPlace, addToCounter, isWithin } from "#meta/counter.ts";
import { GroupCommit } from "#meta/group-commit.ts";
import { cannotOpen, makeLockFile } from "#meta/lock-file.ts";
import type { PackedEntries } from "#meta/packed.ts";
import { RangeReader } from "#meta/range-reader.ts";
import {
  REVISION_BYTES,
  readRevision,
  revisionBytes,
  withoutRevision,
  writeRevision,
} from "#meta/revision.ts";
import { isSeldom, SELDOM_KEY } from "#meta/seldom.ts";
import type {
  Add,
  Change,
  Entry,
  Guard,
  KeyRange,
  MetaStore,
  PackedRange,
  Snapshot,
  Write,
} from "#meta/store.ts";

/** Address space set aside for the map; the file itself grows only with what it holds. */
const MAP_BYTES = 2 ** 40;
/** LMDB's own limit, for pages of 4 KiB. */
const KEY_BYTES_MAX = 1_978;
/** The largest inline object with its record fits. */
const ROOM_BYTES = 128 * 1_024;
/** The last commit's sequence; no caller's key begins with a zero byte. */
const SEQUENCE_KEY = Buffer.from([0]);

/** Which state is read: that of a snapshot, else the newest. */
interface View {
  readonly transaction?: Transaction;
}

const NEWEST: View = {};

/** Of lmdb-js, whose types leave the options out. */
interface FastReads {
  getBinaryFast(key: Buffer, view: View): Buffer | undefined;
}

export interface LmdbOptions {
  /** Told once when this process can use the map no more, and another could: all that is asked for fails. */
  readonly broken?: (cause: StorageError) => void;
}

/**
 * MetaStore over one LMDB environment, which any number of processes may open at once. Commits that
 * wait together become one transaction and share its sync (group commit). Without overlapping sync:
 * nothing is visible before it is durable.
 *
 * Spec: http://www.lmdb.tech/doc/ and https://github.com/kriszyp/lmdb-js
 */
export class LmdbMetaStore implements MetaStore {
  readonly #path: string;
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #db: Database<Buffer, Buffer> & FastReads;
  readonly #reader = new RangeReader(REVISION_BYTES);
  readonly #scratch = Buffer.allocUnsafeSlow(ROOM_BYTES);
  readonly #group = new GroupCommit((changes) => this.#commitAll(changes));
  #isFresh = false;
  readonly #tellBroken: (cause: StorageError) => void;
  #broken: StorageError | undefined;

  /** `path` is a directory, made when it is missing. */
  constructor(path: string, { broken = () => undefined }: LmdbOptions = {}) {
    this.#path = path;
    this.#tellBroken = broken;
    makeLockFile(path);
    try {
      this.#root = open<Buffer, Buffer>({
        path,
        encoding: "binary",
        keyEncoder: this.#reader.keyEncoder,
        encoder: this.#reader.encoder,
        mapSize: MAP_BYTES,
        overlappingSync: false,
        // With it lmdb-js makes a promise that nobody holds: a failed commit would end the process.
        eventTurnBatching: false,
        cache: false,
      });
    } catch (cause) {
      throw cannotOpen(path, cause);
    }
    this.#db = this.#root as Database<Buffer, Buffer> & FastReads;
    // LMDB syncs what is in its file, never the names by which it is found.
    for (const directory of [path, dirname(path)]) syncNames(directory);
  }

  get(key: Uint8Array): Entry | undefined {
    this.#freshen();
    return this.#get(key);
  }

  async scan(range: KeyRange): Promise<Entry[]> {
    this.#freshen();
    return this.#scan(range);
  }

  async scanPacked(range: PackedRange): Promise<PackedEntries> {
    this.#freshen();
    const options = { start: asBuffer(range.from), end: asBuffer(range.to) };
    const isKeys = range.keysOnly === true;
    const lazy = isKeys ? this.#db.getKeys(options) : this.#db.getRange(options);
    return this.#reader.pack(range, (from) => {
      // Read anew with each iteration: a range of its own would make a seek a fifth dearer.
      options.start = from;
      return lazy;
    });
  }

  commit(change: Change): Promise<number | undefined> {
    return this.#group.commit(change);
  }

  snapshot(): Snapshot {
    this.#isFresh = false;
    this.#freshen();
    const transaction = this.#db.useReadTransaction();
    return {
      get: (key) => this.#get(key, { transaction }),
      scan: async (range) => this.#scan(range, { transaction }),
      [Symbol.dispose]: () => transaction.done(),
    };
  }

  /**
   * Writes the map as it is now into an empty directory, whoever writes meanwhile, and makes it durable. It
   * has every commit that resolved before the call began, and no part of any other.
   *
   * Spec: http://www.lmdb.tech/doc/group__mdb.html (mdb_env_copy2: a read transaction's view)
   * Fails: StorageError "full", "unavailable".
   */
  async copyTo(directory: string): Promise<void> {
    try {
      await this.#root.backup(directory, false);
      // The copy is written and not synced.
      for (const path of [join(directory, "data.mdb"), directory]) syncNames(path);
    } catch (cause) {
      throw await commitFailure(cause, directory);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group.atRest();
    await this.#root.close();
  }

  #get(key: Uint8Array, view: View = NEWEST): Entry | undefined {
    // Good until the next read: lmdb-js reuses the buffer, whose length it keeps apart.
    const stored = this.#db.getBinaryFast(asBuffer(key), view);
    if (stored === undefined) return undefined;
    const value = Buffer.allocUnsafe(stored.length - REVISION_BYTES);
    stored.copy(value, 0, REVISION_BYTES, stored.length);
    return { key, value, revision: readRevision(stored) };
  }

  #scan({ from, to, limit, reverse = false }: KeyRange, view: View = NEWEST): Entry[] {
    const [low, high] = [asBuffer(from), asBuffer(to)];
    const range = reverse
      ? { start: high, exclusiveStart: true, end: low, inclusiveEnd: true, reverse }
      : { start: low, end: high };
    const entries: Entry[] = [];
    for (const { key, value } of this.#db.getRange({ ...range, ...view, limit })) {
      entries.push({ key, value: withoutRevision(value), revision: readRevision(value) });
    }
    return entries;
  }

  /**
   * Law 4: a snapshot left from an earlier event may be older than another process's commit. One that
   * was taken since this event began, whose handlers run in one go, is not.
   */
  #freshen(): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#isFresh) return;
    this.#db.resetReadTxn();
    this.#isFresh = true;
    process.nextTick(() => {
      this.#isFresh = false;
    });
  }

  async #commitAll(changes: readonly Change[]): Promise<readonly (number | undefined)[]> {
    try {
      // Of a map that is broken lmdb-js would never answer.
      if (this.#broken !== undefined) throw this.#broken;
      // A child, of which nothing stays when something in it throws: lmdb-js commits the rest of a plain one.
      return await this.#root.childTransaction(() => this.#apply(changes));
    } catch (cause) {
      throw this.#broken ?? (await this.#failureOf(cause));
    }
  }

  /**
   * A process that could not write a meta page is told MDB_PANIC of whatever it asks for from then on; nobody
   * knows what is on the disk, even where the system found it full.
   */
  async #failureOf(cause: unknown): Promise<StorageError> {
    const error = await commitFailure(cause, this.#path);
    if (this.#canRead()) return error;
    const message = `the metadata cannot be used by this process any more: ${error.message}`;
    this.#broken = new StorageError("unavailable", message, error);
    this.#tellBroken(this.#broken);
    return this.#broken;
  }

  #canRead(): boolean {
    try {
      this.#db.resetReadTxn();
      this.#db.getBinaryFast(SEQUENCE_KEY, NEWEST);
      return true;
    } catch {
      return false;
    }
  }

  /** Runs inside the write transaction. */
  #apply(changes: readonly Change[]): (number | undefined)[] {
    const last = this.#db.getBinary(SEQUENCE_KEY);
    let sequence = last === undefined ? 0 : readRevision(last);
    const before = sequence;
    let seldom = before;
    const sequences = changes.map(({ guards, writes, adds = [] }) => {
      if (!guards.every((guard) => this.#holds(guard))) return undefined;
      if (!adds.every((add) => add.bounds === undefined || this.#fits(add))) return undefined;
      sequence += 1;
      for (const write of writes) this.#write(write, sequence);
      for (const add of adds) this.#add(add, sequence);
      if (writes.some(({ key }) => isSeldom(key))) seldom = sequence;
      return sequence;
    });
    if (sequence !== before) this.#store(SEQUENCE_KEY, revisionBytes(sequence));
    if (seldom !== before) this.#store(SELDOM_KEY, revisionBytes(seldom));
    return sequences;
  }

  #holds({ key, revision }: Guard): boolean {
    const stored = this.#db.getBinaryFast(asBuffer(key), NEWEST);
    return (stored === undefined ? 0 : readRevision(stored)) === revision;
  }

  #fits(add: Add): boolean {
    const stored = this.#db.getBinary(asBuffer(add.key));
    return isWithin(addToCounter(stored?.subarray(REVISION_BYTES), add.amounts), add.bounds);
  }

  #add({ key, amounts }: Add, sequence: number): void {
    const name = asBuffer(key);
    // A copy of what is stored.
    const stored = this.#db.getBinary(name) ?? Buffer.alloc(REVISION_BYTES);
    const sum = addInPlace(stored, REVISION_BYTES, amounts);
    writeRevision(sum, sequence);
    this.#store(name, sum);
  }

  #write({ key, value, tail, stampKeyAt, stampValueAt }: Write, sequence: number): void {
    const name = asBuffer(key);
    if (stampKeyAt !== undefined) writeStamp(name, stampKeyAt, sequence);
    if (value === undefined) {
      this.#db.removeSync(name);
      return;
    }
    const tailAt = REVISION_BYTES + value.length;
    const stored = this.#room(tailAt + (tail?.length ?? 0));
    writeRevision(stored, sequence);
    stored.set(value, REVISION_BYTES);
    if (tail !== undefined) stored.set(tail, tailAt);
    if (stampValueAt !== undefined) writeStamp(stored, REVISION_BYTES + stampValueAt, sequence);
    this.#store(name, stored);
  }

  /** Within the write transaction LMDB has copied what it is given when the call returns. */
  #room(bytes: number): Buffer {
    return bytes <= ROOM_BYTES ? this.#scratch.subarray(0, bytes) : Buffer.allocUnsafeSlow(bytes);
  }

  #store(key: Buffer, stored: Buffer): void {
    assert(key.length <= KEY_BYTES_MAX, "a key fits LMDB's limit");
    this.#db.putSync(key, stored);
  }
}

function syncNames(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
