import { invalidArgument, S3Error } from "#base/error.ts";
import { type Bytes, bytesOf, nameShownAs } from "#volume/shown-name.ts";

/** Holds what is not yet, or no longer, a file of the volume. In no list, and no key. */
export const HIDDEN_NAME = ".s3compat_uploads";
const NAME_BYTES_MAX = 255;

/** What an NFS client calls a file that was removed while it is open there; it removes it in the end. */
const REMOVED_BUT_OPEN = /^\.nfs[0-9a-f]{24}$/;

/** Where a key is in its volume, without a look at it. */
export interface KeyPath {
  readonly key: string;
  /** File names from the root on; at least one. */
  readonly names: readonly Bytes[];
  /** The key ends in a slash. */
  readonly isDirectory: boolean;
}

/** The path of a key, or what a write of such a key is refused with: nothing can be there. */
export function pathOfKey(key: string): KeyPath | S3Error {
  if (key.includes("\0")) return refused(key, "A key of a volume holds no zero character.");
  const isDirectory = key.endsWith("/");
  const shown = bytesOf(isDirectory ? key.slice(0, -1) : key).split("/");
  const names = shown.map(nameShownAs);
  for (const name of names) {
    if (name === "") return refused(key, "A key of a volume is a path without empty parts.");
    if (name === "." || name === "..") {
      return refused(key, `A key of a volume is a path without "." and ".." as parts.`);
    }
    if (name.length > NAME_BYTES_MAX) return tooLong(name);
    if (isRemovedButOpen(name)) {
      return refused(
        key,
        "A part of the key is a name that NFS keeps for files that were removed.",
      );
    }
  }
  if (isHidden(names)) return refused(key, `${HIDDEN_NAME} is kept for the server's own use.`);
  return { key, names, isDirectory };
}

/** Also in another case, for file systems to which that is the same name. */
export function isHidden([first = ""]: readonly Bytes[]): boolean {
  return first.length === HIDDEN_NAME.length && first.toLowerCase() === HIDDEN_NAME;
}

/** Such a file is in no list, and no key; it is left to the client that made it. */
export function isRemovedButOpen(name: Bytes): boolean {
  return name.startsWith(".nfs") && REMOVED_BUT_OPEN.test(name);
}

function refused(key: string, message: string): S3Error {
  return invalidArgument("Key", key, message);
}

function tooLong(name: Bytes): S3Error {
  const detail = { Size: String(name.length), MaxSizeAllowed: String(NAME_BYTES_MAX) };
  const message = `A part of the key between slashes is longer than ${NAME_BYTES_MAX} bytes, the most a file name can have.`;
  return new S3Error("KeyTooLongError", detail, { message });
}
