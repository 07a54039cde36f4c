import { link, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { randomHex } from "#base/random.ts";
import { Directory } from "#blob/directory.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import { type BoundDigests, packDigests, unpackDigests } from "#volume/file-digests.ts";
import {
  type BoundRecord,
  type FileRecord,
  type PartRow,
  packRecords,
  unpackRecords,
} from "#volume/file-record.ts";
import { type Identity, identityText, isMarked, isSame } from "#volume/identity.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import { readSmall, readSmallIn } from "#volume/read-small.ts";
import { replaceDurably } from "#volume/write-durably.ts";

const DIRECTORIES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Together at most some fifty megabytes, and hardly ever that. */
const REMEMBERED_MAX = 50_000;
const REMEMBERED_METADATA_CHARS_MAX = 512;

interface Options {
  readonly hidden: OpenDirectory;
  readonly ownerId: string;
  /** Whether the file system keeps the mark in times; else every file is looked up. */
  readonly marksKept: boolean;
}

/**
 * Records of files that were written through S3, in a hidden file for each, named after the inode and
 * bound to size and time. A file that is renamed keeps its record, one that is changed or replaced in
 * any way loses it. Servers that share the directory share the records.
 */
export class FileRecords implements AsyncDisposable {
  readonly #options: Options;
  readonly #directories: ReadonlyMap<string, Directory>;
  /** Of them, those that are known to be there. */
  readonly #made = new Set<string>();
  /** Of a content, whose record never changes. */
  readonly #remembered = new Map<string, FileRecord>();

  constructor(options: Options) {
    this.#options = options;
    const { hidden } = options;
    this.#directories = new Map(
      DIRECTORIES.map((name) => [name, new Directory(hidden.entry(`meta/${name}`))]),
    );
  }

  async find(identity: Identity): Promise<FileRecord | undefined> {
    if (!this.#mayBeRecorded(identity)) return undefined;
    const content = identityText(identity);
    const remembered = this.#remembered.get(content);
    if (remembered !== undefined) return remembered;
    const { inode } = identity;
    const bound = (await this.read(inode))?.bound ?? [];
    const record = bound.find((each) => isSame(each.identity, identity))?.record;
    if (record !== undefined) this.#remember(content, record);
    return record;
  }

  /** All that is kept of an inode, with the key it was written for. */
  async read(inode: bigint) {
    const text = await this.#text(inode, String(inode));
    return text === undefined ? undefined : unpackRecords(text, inode);
  }

  /** Replaces what is kept of the inode. Durable after `sync`. */
  async write(inode: bigint, key: string, bound: readonly BoundRecord[]): Promise<void> {
    await this.#makeDirectory(inode);
    await this.#replace(this.#path(inode), packRecords(key, bound));
  }

  async writeParts(inode: bigint, parts: readonly PartRow[]): Promise<void> {
    await this.#makeDirectory(inode);
    await this.#replace(this.#partsPath(inode), JSON.stringify(parts));
  }

  async readParts(inode: bigint): Promise<readonly PartRow[] | undefined> {
    const text = await this.#text(inode, `${inode}.parts`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** What was computed of a file that was not written through S3, of whatever content it was. */
  async readDigests(inode: bigint): Promise<BoundDigests | undefined> {
    const text = await readSmall(this.#digestsPath(inode));
    return text === undefined ? undefined : unpackDigests(text, inode);
  }

  /** In a file apart, so that the record, which others write meanwhile, is never lost by it. */
  async writeDigests(bound: BoundDigests): Promise<void> {
    const { inode } = bound.identity;
    await this.#makeDirectory(inode);
    await this.#replace(this.#digestsPath(inode), packDigests(bound));
  }

  async sync(inode: bigint): Promise<void> {
    await this.#directories.get(directoryOf(inode))?.sync();
  }

  /**
   * Forgets a content that is gone. The caller keeps its inode from being given to another file
   * meanwhile, by an open descriptor.
   */
  async remove(identity: Identity): Promise<void> {
    const { inode } = identity;
    if (!this.#mayBeRecorded(identity)) return await rm(this.#digestsPath(inode), { force: true });
    this.#remembered.delete(identityText(identity));
    const kept = await this.read(inode);
    if (kept === undefined || !kept.bound.some((each) => isSame(each.identity, identity))) return;
    await this.removeAll(inode);
  }

  async removeAll(inode: bigint): Promise<void> {
    await rm(this.#path(inode), { force: true });
    await rm(this.#partsPath(inode), { force: true });
  }

  /** The inodes of which something is kept, those of one directory after the other. */
  async *inodes(): AsyncGenerator<bigint, void, undefined> {
    for (const directory of DIRECTORIES) {
      const path = this.#options.hidden.entry(`meta/${directory}`);
      const names = (await readdir(path).catch(absent)) ?? [];
      // Also where only the parts of a record are left, or there are digests alone.
      const inodes = names.flatMap((name) => /^\d+(?=$|\.parts$|\.digests$)/.exec(name)?.[0] ?? []);
      for (const inode of new Set(inodes)) yield BigInt(inode);
    }
  }

  /** Whether nothing was kept of an inode since a time, in nanoseconds of the file system's clock. */
  async isOlder(inode: bigint, thanNs: bigint): Promise<boolean> {
    const found = await Promise.all(
      this.#paths(inode).map(async (path) => lstat(path, { bigint: true }).catch(absent)),
    );
    return found.every((stats) => stats === undefined || stats.mtimeNs < thanNs);
  }

  /** Forgets an inode of which nothing was kept since; it may be given to a new file at any moment. */
  async removeOlder(inode: bigint, thanNs: bigint): Promise<void> {
    const { hidden, ownerId } = this.#options;
    for (const path of this.#paths(inode)) {
      const taken = hidden.entry(`tmp/${ownerId}-${randomHex(8)}`);
      const isTaken = await rename(path, taken).then(() => true, absent);
      if (isTaken !== true) continue;
      // Only what was taken can be looked at without its being replaced meanwhile.
      if ((await lstat(taken, { bigint: true })).mtimeNs >= thanNs) {
        await link(taken, path).catch(unlessThere);
      }
      await rm(taken, { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#directories.values()) await directory.close();
  }

  async #text(inode: bigint, name: string): Promise<string | undefined> {
    return await readSmallIn(this.#options.hidden, {
      directory: `meta/${directoryOf(inode)}`,
      name,
    });
  }

  async #replace(path: SystemPath, text: string): Promise<void> {
    const { hidden, ownerId } = this.#options;
    await replaceDurably(path, text, hidden.entry(`tmp/${ownerId}-${randomHex(8)}`));
  }

  /** Durably, when it is first written to. */
  async #makeDirectory(inode: bigint): Promise<void> {
    const name = directoryOf(inode);
    if (this.#made.has(name)) return;
    const { hidden } = this.#options;
    await mkdir(hidden.entry(`meta/${name}`), 0o700).catch(unlessThere);
    await using meta = await hidden.child("meta");
    await meta.sync();
    this.#made.add(name);
  }

  #remember(content: string, record: FileRecord): void {
    const metadata = JSON.stringify([record.headers, record.userMetadata]);
    if (metadata.length > REMEMBERED_METADATA_CHARS_MAX) return;
    if (this.#remembered.size >= REMEMBERED_MAX) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(content, record);
  }

  #mayBeRecorded(identity: Identity): boolean {
    return !this.#options.marksKept || isMarked(identity);
  }

  #paths(inode: bigint): readonly SystemPath[] {
    return [this.#path(inode), this.#partsPath(inode), this.#digestsPath(inode)];
  }

  #path(inode: bigint): SystemPath {
    return this.#options.hidden.entry(`meta/${directoryOf(inode)}/${inode}`);
  }

  #partsPath(inode: bigint): SystemPath {
    return this.#options.hidden.entry(`meta/${directoryOf(inode)}/${inode}.parts`);
  }

  #digestsPath(inode: bigint): SystemPath {
    return this.#options.hidden.entry(`meta/${directoryOf(inode)}/${inode}.digests`);
  }
}

/** Inodes are often given in a row: their last digits differ. */
function directoryOf(inode: bigint): string {
  return (inode % 256n).toString(16).padStart(2, "0");
}

/** For `catch`: a newer one is there already. */
function unlessThere(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}
