import { type BigIntStats, close, constants, fstat, open as openFile } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
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
  #isClosed: boolean;

  private constructor(fd: number, base: Bytes, borrowed: boolean) {
    this.#fd = fd;
    this.#base = base;
    this.#isClosed = borrowed;
  }

  /** Does not follow a link at the end of the path. Fails: as open(2); ENOTDIR, ELOOP for a link. */
  static async open(
    path: SystemPath,
    { byName }: { readonly byName?: Bytes | undefined } = {},
  ): Promise<OpenDirectory> {
    const access = byName === undefined ? O_PATH : O_RDONLY;
    const fd = await openDescriptor(path, access | O_DIRECTORY | O_NOFOLLOW);
    return new OpenDirectory(fd, byName ?? `/proc/self/fd/${fd}`, false);
  }

  /** The same directory for one who will dispose of what is not his own. */
  borrowed(): OpenDirectory {
    return new OpenDirectory(this.#fd, this.#base, true);
  }

  /** Fails: as open(2). */
  async child(name: Bytes): Promise<OpenDirectory> {
    const byName = this.#base.startsWith("/proc/self/fd/") ? undefined : `${this.#base}/${name}`;
    return await OpenDirectory.open(this.entry(name), { byName });
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

function systemPath(path: Bytes): SystemPath {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, "latin1") : path;
}
