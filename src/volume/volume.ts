import { chmod, chown, link, lstat, mkdir, open, rm, utimes } from "node:fs/promises";
import { type Clock, systemClock } from "#base/clock.ts";
import { StorageError } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { Directory } from "#blob/directory.ts";
import { guarded, systemCode } from "#blob/system-error.ts";
import { FileRecords } from "#volume/file-records.ts";
import { isMarked, markedSeconds } from "#volume/identity.ts";
import { IdleFiles } from "#volume/idle-files.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { Locks } from "#volume/locks.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import { Owner } from "#volume/owner.ts";
import { SortedNames } from "#volume/sorted-names.ts";
import { survey } from "#volume/survey.ts";
import { Tree } from "#volume/tree.ts";
import { Usage } from "#volume/usage.ts";

/** What a volume takes. */
export interface VolumeLimits {
  readonly putBytesMax: number;
  readonly partBytesMax: number;
  /** The last part may always be smaller. */
  readonly partBytesMin: number;
  readonly fileBytesMax: number;
}

/** Spec: Runpod, "S3-compatible API", limitations. */
const VOLUME_LIMITS: VolumeLimits = {
  putBytesMax: 5 * 2 ** 30,
  partBytesMax: 5 * 2 ** 30,
  partBytesMin: 0,
  fileBytesMax: 4 * 2 ** 40,
};

export interface VolumeOptions {
  /** An existing directory. */
  readonly root: string;
  readonly clock?: Clock;
  readonly limits?: Partial<VolumeLimits>;
  /** What all files of the volume may take together; unfinished uploads count. */
  readonly quotaBytes?: number | undefined;
  /** Of what S3 makes; undefined: the server's own. Another needs the right to give files away. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Taken from 0666 for files and 0777 for directories; 022 when absent. */
  readonly umask?: number;
  /** For tests: as where there is no `/proc`. */
  readonly byName?: boolean | undefined;
  /** For tests: as where others change the directory behind a cache; absent: as it is mounted. */
  readonly isShared?: boolean | undefined;
}

const SUBDIRECTORIES = ["tmp", "meta", "uploads", "locks", "owners", "tokens", "usage"];

/** An existing directory as a bucket: what all operations on it share in this process. */
export class Volume implements AsyncDisposable {
  readonly tree: Tree;
  readonly hidden: OpenDirectory;
  readonly owner: Owner;
  readonly locks: Locks;
  readonly records: FileRecords;
  readonly usage: Usage;
  readonly names = new SortedNames();
  readonly idle: IdleFiles;
  readonly clock: Clock;
  readonly limits: VolumeLimits;
  readonly uploads: Directory;
  /** Directories, by inode and birth, whose names up to the root are known to be durable. */
  readonly durable = new Set<string>();
  readonly #options: VolumeOptions;
  #users = 0;
  /** When somebody waits for it. */
  #unused: PromiseWithResolvers<void> | undefined;

  /**
   * Makes the hidden directory when it is missing, durably. Fails: StorageError "unavailable" when
   * the root is no directory or the file system lacks what a volume rests on.
   */
  static async open(options: VolumeOptions): Promise<Volume> {
    return await guarded(async () => {
      await using stack = new AsyncDisposableStack();
      const clock = options.clock ?? systemClock;
      const tree = stack.use(await Tree.open(options.root, options));
      const hidden = stack.use(await openHidden(tree));
      const owner = stack.use(await Owner.open(hidden, clock));
      const marksKept = await probe(hidden, owner, options);
      const records = stack.use(new FileRecords({ hidden, ownerId: owner.id, marksKept }));
      const measure = async () => await survey(tree);
      const given = { hidden, ownerId: owner.id, clock, measure, quotaBytes: options.quotaBytes };
      const usage = stack.use(await Usage.open(given));
      const volume = new Volume({ tree, hidden, owner, records, usage, clock, options });
      stack.move();
      return volume;
    });
  }

  private constructor(parts: {
    readonly tree: Tree;
    readonly hidden: OpenDirectory;
    readonly owner: Owner;
    readonly records: FileRecords;
    readonly usage: Usage;
    readonly clock: Clock;
    readonly options: VolumeOptions;
  }) {
    const { tree, hidden, owner, records, usage, clock, options } = parts;
    this.tree = tree;
    this.hidden = hidden;
    this.owner = owner;
    this.records = records;
    this.usage = usage;
    this.clock = clock;
    this.locks = new Locks(hidden, owner, clock);
    this.idle = new IdleFiles();
    this.limits = { ...VOLUME_LIMITS, ...options.limits };
    this.uploads = new Directory(hidden.entry("uploads"));
    this.#options = options;
  }

  /** Of its directory, as it was set. */
  get path(): string {
    return this.#options.root;
  }

  /** A path for what is not visible yet. What a process leaves there when it dies is swept. */
  temporary(): SystemPath {
    return this.hidden.entry(`tmp/${this.owner.id}-${randomHex(8)}`);
  }

  /** Gives what was just made the owner and the mode of this volume. Fails: as chown(2). */
  async dress(path: SystemPath, kind: "file" | "directory"): Promise<void> {
    await dress(path, kind, this.#options);
  }

  /** Whether another program has removed what nothing can be written without: open it again. */
  async isGone(): Promise<boolean> {
    const stats = await this.hidden.stats().catch(unlessRemoved);
    return stats === undefined || stats.nlink === 0n || (await this.owner.isGone());
  }

  /** Keeps the volume open until `leave` is called, once. */
  enter(): { readonly leave: () => void } {
    this.#users += 1;
    const leave = () => {
      this.#users -= 1;
      if (this.#users === 0) this.#unused?.resolve();
    };
    return { leave };
  }

  /** Keeps the volume open while something is done with it. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    const { leave } = this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /**
   * Waits for those who use it: the number of a descriptor that is closed may become that of something
   * else, and what is done by its path be done there.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#users > 0) {
      this.#unused = Promise.withResolvers();
      await this.#unused.promise;
    }
    await this.idle[Symbol.asyncDispose]();
    await this.uploads.close();
    await this.usage[Symbol.asyncDispose]();
    await this.records[Symbol.asyncDispose]();
    await this.owner[Symbol.asyncDispose]();
    await this.hidden[Symbol.asyncDispose]();
    await this.tree[Symbol.asyncDispose]();
  }
}

/** For `catch`: another machine removed it. */
function unlessRemoved(error: unknown): undefined {
  if (systemCode(error) !== "ESTALE") throw error;
}

async function dress(
  path: SystemPath,
  kind: "file" | "directory",
  { uid, gid, umask = 0o022 }: VolumeOptions,
): Promise<void> {
  // A process-wide umask is not asked: each volume has its own.
  await chmod(path, (kind === "file" ? 0o666 : 0o777) & ~umask);
  if (uid === undefined && gid === undefined) return;
  const now = await lstat(path);
  await chown(path, uid ?? now.uid, gid ?? now.gid);
}

async function openHidden({ root }: Tree): Promise<OpenDirectory> {
  const made = await makeOnce(root.entry(HIDDEN_NAME));
  const hidden = await root.child(HIDDEN_NAME);
  try {
    let changed = made;
    for (const name of SUBDIRECTORIES) changed = (await makeOnce(hidden.entry(name))) || changed;
    if (changed) {
      await root.sync();
      await hidden.sync();
    }
    return hidden;
  } catch (error) {
    await hidden[Symbol.asyncDispose]();
    throw error;
  }
}

async function makeOnce(path: SystemPath): Promise<boolean> {
  try {
    await mkdir(path, 0o700);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Tries what everything rests on, so that a file system that cannot do it is told at the start and not
 * by a lost write. Whether it keeps times well enough for the mark.
 */
async function probe(hidden: OpenDirectory, owner: Owner, options: VolumeOptions) {
  const path = hidden.entry(`tmp/${owner.id}-probe`);
  const second = hidden.entry(`tmp/${owner.id}-probe-link`);
  try {
    await (await open(path, "wx", 0o600)).close();
    await dress(path, "file", options).catch((cause: Error) => {
      const message = `files of the volume cannot be given to the uid and gid that are set: ${cause.message}`;
      throw new StorageError("unavailable", message, cause);
    });
    await link(path, second).catch((cause: Error) => {
      const message = `the file system of the volume has no hard links, on which conditional writes rest: ${cause.message}`;
      throw new StorageError("unavailable", message, cause);
    });
    const seconds = markedSeconds(systemClock.now());
    await utimes(path, seconds, seconds);
    return isMarked(await lstat(path, { bigint: true }));
  } finally {
    await rm(path, { force: true });
    await rm(second, { force: true });
  }
}
