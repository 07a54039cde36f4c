import { type BigIntStats, close, constants, fstat, open as openFile } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { systemCode } from "#blob/system-error.ts";
import type { Bytes } from "#volume/shown-name.ts";

/** A path as system calls take it: text where ASCII will do, else bytes. */
export type SystemPath = string | Buffer;

const openDescriptor = promisify(openFile);
const closeDescriptor = promisify(close);
const statDescriptor: (fd: number, options: { bigint: true }) => Promise<BigIntStats> =
  promisify(fstat);

/** A name, without leave to read what is in it. Node has no constant for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** How a directory is reached. */
export interface Reach {
  readonly byName?: Bytes | undefined;
  /** Others change it behind a cache: opening it asks the server whether they did. */
  readonly isShared?: boolean;
}

/**
 * A directory that is held open: what is done at its entries happens in this very directory, whatever
 * becomes of its name. Linux reaches entries by the descriptor, as `openat` does; elsewhere ("by name")
 * they are reached by the path the directory was opened at.
 *
 * Spec: https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html
 */
export class OpenDirectory implements AsyncDisposable {
  readonly #fd: number;
  readonly #base: Bytes;
  readonly #isShared: boolean;
  #isClosed: boolean;

  private constructor(fd: number, base: Bytes, is: { shared: boolean; borrowed: boolean }) {
    this.#fd = fd;
    this.#base = base;
    this.#isShared = is.shared;
    this.#isClosed = is.borrowed;
  }

  /** Does not follow a link at the end of the path. Fails: as open(2); ENOTDIR, ELOOP for a link. */
  static async open(
    path: SystemPath,
    { byName, isShared = false }: Reach = {},
  ): Promise<OpenDirectory> {
    const fd =
      byName === undefined && !isShared
        ? await openDescriptor(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
        : await openReading(path);
    const is = { shared: isShared, borrowed: false };
    return new OpenDirectory(fd, byName ?? `/proc/self/fd/${fd}`, is);
  }

  /** The same directory for one who will dispose of what is not his own. */
  borrowed(): OpenDirectory {
    return new OpenDirectory(this.#fd, this.#base, { shared: this.#isShared, borrowed: true });
  }

  /** The same, after a look at what others did to it. Fails: as open(2). */
  async again(): Promise<OpenDirectory> {
    if (!this.#isShared) return this.borrowed();
    return await OpenDirectory.open(this.entry("."), { isShared: true });
  }

  /** From here on names and times in it are not older than this call. Fails: as open(2). */
  async refresh(): Promise<void> {
    const asked = await this.again();
    await asked[Symbol.asyncDispose]();
  }

  /** Fails: as open(2). */
  async child(name: Bytes): Promise<OpenDirectory> {
    const byName = this.#base.startsWith("/proc/self/fd/") ? undefined : `${this.#base}/${name}`;
    return await OpenDirectory.open(this.entry(name), { byName, isShared: this.#isShared });
  }

  /** Others change what is in it behind a cache. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /** Where an entry is, or with slashes an entry further down. */
  entry(name: Bytes): SystemPath {
    return systemPath(`${this.#base}/${name}`);
  }

  /** Where the directory itself is. */
  get self(): SystemPath {
    return systemPath(this.#base);
  }

  async stats(): Promise<BigIntStats> {
    return await statDescriptor(this.#fd, { bigint: true });
  }

  /** Makes the names in it durable. */
  async sync(): Promise<void> {
    await using directory = await open(this.entry("."), O_RDONLY | O_DIRECTORY);
    await directory.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    // Closed twice, it would be somebody else's.
    this.#isClosed = true;
    await closeDescriptor(this.#fd);
  }
}

/**
 * An NFS client asks its server for the state of a directory that is opened, and drops what it remembers
 * of the names in it when that has changed. It does not when the directory is opened by O_PATH.
 */
async function openReading(path: SystemPath): Promise<number> {
  try {
    return await openDescriptor(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (systemCode(error) !== "EACCES") throw error;
    // It can be gone through, but not read.
    return await openDescriptor(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  }
}

function systemPath(path: Bytes): SystemPath {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}
