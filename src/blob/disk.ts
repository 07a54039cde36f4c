import { writev } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";

/**
 * The calls that change what is on the disk, or make it durable, and no others. Whoever stands in
 * between can record them, refuse one, or leave one out.
 */
export interface Disk {
  /** A new empty file that is open for writing. Fails when there is one. */
  readonly create: (path: string) => Promise<FileHandle>;
  /** Resolves to how many of the bytes were written. */
  readonly write: (file: FileHandle, bytes: readonly Uint8Array[], at: number) => Promise<number>;
  /** Makes the bytes of a file durable. */
  readonly syncFile: (file: FileHandle) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** A file that is not there is no error. */
  readonly remove: (path: string) => Promise<void>;
  readonly openDirectory: (path: string | Buffer) => Promise<FileHandle>;
  /** Makes the names in a directory durable. */
  readonly syncDirectory: (directory: FileHandle) => Promise<void>;
  /** With its parents. Resolves to the first that was missing, undefined when none was. */
  readonly makeDirectory: (path: string) => Promise<string | undefined>;
}

/** Each is one call of the system, and no promise more than it takes. */
export const systemDisk: Disk = {
  create: (path) => open(path, "wx", 0o600),
  // The callback call costs a tenth less than that of FileHandle.
  write: (file, bytes, at) =>
    new Promise((done, fail) => {
      writev(file.fd, bytes, at, (error, count) => (error ? fail(error) : done(count)));
    }),
  syncFile: (file) => file.datasync(),
  rename,
  remove: (path) => rm(path, { force: true }),
  openDirectory: (path) => open(path, "r"),
  syncDirectory: (directory) => directory.sync(),
  makeDirectory: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
};
