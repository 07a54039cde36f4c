import { fstatSync, type Stats } from "node:fs";
import { type FileHandle, open, opendir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { assert } from "#base/assert.ts";
import { type Clock, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { blobBytesOf } from "#blob/block-sums.ts";
import { readBlocks } from "#blob/checked-reader.ts";
import { Directory } from "#blob/directory.ts";
import { type Disk, systemDisk } from "#blob/disk.ts";
import { readRange } from "#blob/file-reader.ts";
import { FileWriter } from "#blob/file-writer.ts";
import { type BlobFile, fileOf, filesOf, pathOf } from "#blob/names.ts";
import type { BlobId, BlobStore, BlobWriter, ByteRange, ListedBlob } from "#blob/store.ts";
import { absent, guarded } from "#blob/system-error.ts";

const OWNER = /^[\w-]{1,64}$/;
const TEMPORARY = "tmp";
const DIRECTORIES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export interface FileBlobStoreOptions {
  readonly root: string;
  /** Differs in each start of each process; names the temporary files it makes. */
  readonly owner: string;
  readonly clock?: Clock;
  /** The system's when absent. */
  readonly disk?: Disk;
}

/**
 * One file a blob: `root/tmp/<owner>-<id>` while it is written, then `root/<two digits>/<id>.sum`. Behind the blob's
 * bytes it has the CRC32 of each 64 KiB of them; those of earlier versions, named `<id>`, have none.
 * Several processes may share a root.
 */
export class FileBlobStore implements BlobStore {
  readonly #root: string;
  readonly #owner: string;
  readonly #clock: Clock;
  readonly #disk: Disk;
  readonly #directories: ReadonlyMap<string, Directory>;

  /** Makes what is missing under `root`, durably. Fails: StorageError "full", "unavailable". */
  static async open(options: FileBlobStoreOptions): Promise<FileBlobStore> {
    const { owner, clock = systemClock, disk = systemDisk } = options;
    assert(OWNER.test(owner), "an owner can be part of a file name");
    const root = resolve(options.root);
    await guarded(() => prepare(root, disk));
    return new FileBlobStore({ root, owner, clock, disk });
  }

  /**
   * Removes what earlier processes left unfinished. Only while no store is open on `root`.
   * Fails: StorageError "unavailable".
   */
  static async sweepTemporary(root: string): Promise<void> {
    const directory = join(root, TEMPORARY);
    await guarded(async () => {
      const names = (await readdir(directory).catch(absent)) ?? [];
      for (const name of names) await rm(join(directory, name), { force: true });
    });
  }

  private constructor({ root, owner, clock, disk }: Required<FileBlobStoreOptions>) {
    this.#root = root;
    this.#owner = owner;
    this.#clock = clock;
    this.#disk = disk;
    this.#directories = new Map(
      DIRECTORIES.map((name) => [name, new Directory(join(root, name), disk)]),
    );
  }

  async create(): Promise<BlobWriter> {
    const id = randomHex(16);
    const temporary = join(this.#root, TEMPORARY, `${this.#owner}-${id}`);
    const directory = this.#directories.get(id.slice(0, 2));
    assert(directory !== undefined, "an id starts with two hexadecimal digits");
    const disk = this.#disk;
    const file = await guarded(() => disk.create(temporary));
    const path = this.#path({ id, isSummed: true });
    return new FileWriter(file, { id, temporary, path, directory, disk });
  }

  async *read(id: BlobId, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    const { file, sizeBytes } = await this.#open(id);
    try {
      requireWithin(range, sizeBytes);
      yield* readRange(file, range);
    } finally {
      await file.close();
    }
  }

  async *readChecked(id: BlobId, range: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    const { file, isSummed, sizeBytes } = await this.#open(id);
    try {
      requireWithin(range, sizeBytes);
      yield* isSummed ? readBlocks(file, sizeBytes, range) : readRange(file, range);
    } finally {
      await file.close();
    }
  }

  async remove(id: BlobId): Promise<void> {
    // Not synced: a blob that a power cut brings back is an orphan, whose job finds it.
    for (const file of filesOf(id)) await guarded(() => this.#disk.remove(this.#path(file)));
  }

  async size(id: BlobId): Promise<number | undefined> {
    for (const file of filesOf(id)) {
      const found = await this.#stat(file);
      if (found !== undefined) return sizeOf(file, found);
    }
    return undefined;
  }

  async *list(): AsyncGenerator<ListedBlob, void, undefined> {
    for (const name of DIRECTORIES) {
      const directory = await guarded(() => opendir(join(this.#root, name)));
      try {
        for (;;) {
          const entry = await guarded(() => directory.read());
          if (entry === null) break;
          const file = fileOf(entry.name);
          const found = file && (await this.#stat(file));
          if (file === undefined || found === undefined) continue;
          // A rename sets ctime, so this is the age of the finished blob.
          const ageMs = Math.max(0, this.#clock.now() - found.ctimeMs);
          yield { id: file.id, sizeBytes: sizeOf(file, found), ageMs };
        }
      } finally {
        await directory.close();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#directories.values()) await directory.close();
  }

  async #open(id: BlobId): Promise<OpenBlob> {
    for (const file of filesOf(id)) {
      const handle = await guarded(() => open(this.#path(file), "r").catch(absent));
      // What was just opened is at hand: it takes a twentieth of what it would cost another thread.
      if (handle !== undefined)
        return { ...file, file: handle, sizeBytes: sizeOf(file, fstatSync(handle.fd)) };
    }
    throw new StorageError("corrupt", `blob ${id} is missing`);
  }

  async #stat(file: BlobFile): Promise<Stats | undefined> {
    return await guarded(() => stat(this.#path(file)).catch(absent));
  }

  #path(file: BlobFile): string {
    return join(this.#root, pathOf(file));
  }
}

interface OpenBlob extends BlobFile {
  readonly file: FileHandle;
  /** Of the blob, without sums. */
  readonly sizeBytes: number;
}

function sizeOf({ isSummed }: BlobFile, { size }: Stats): number {
  return isSummed ? blobBytesOf(size) : size;
}

/** Fails: StorageError "corrupt". */
function requireWithin({ from, to }: ByteRange, sizeBytes: number): void {
  assert(from >= 0 && from <= to, "a range does not end before it starts");
  if (to > sizeBytes) throw new StorageError("corrupt", `a blob ends before ${to}`);
}

async function prepare(root: string, disk: Disk): Promise<void> {
  const made = await disk.makeDirectory(root);
  const present = new Set(await readdir(root));
  for (const name of [TEMPORARY, ...DIRECTORIES]) {
    if (!present.has(name)) await disk.makeDirectory(join(root, name));
  }
  await syncOnce(root, disk);
  // Of all ancestors: a start that was killed may have made them a moment ago.
  for (let path = root; path !== dirname(path); path = dirname(path)) {
    const isNew = made !== undefined && path.length >= made.length;
    await syncOnce(dirname(path), disk).catch((cause) => {
      // Those that others made may be closed to us, and are none of ours to make durable.
      if (isNew) throw cause;
    });
  }
}

async function syncOnce(path: string, disk: Disk): Promise<void> {
  await using directory = await disk.openDirectory(path);
  await disk.syncDirectory(directory);
}
