import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import type { OpenDirectory } from "#volume/open-directory.ts";
import { type Bytes, showName } from "#volume/shown-name.ts";

/** A smaller directory is read again as quickly. */
const KEPT_MIN = 1_000;
/** Of all directories together; some 60 bytes each. */
const NAMES_MAX = 1_000_000;
const SEARCHED_AT_ONCE = 1_000;

interface Snapshot {
  readonly changedNs: bigint;
  readonly names: readonly Bytes[];
}

/**
 * The names in directories as keys show them, sorted by bytes. Those of large directories are kept for
 * the pages to come, and used again while the directory's time of change is what it was.
 */
export class SortedNames {
  /** By inode; the one that was longest not asked for first. */
  readonly #snapshots = new Map<bigint, Snapshot>();
  #names = 0;

  /** `isOld`: whether a time lies so far back that no change can hide in it. Fails: as opendir(3). */
  async of(
    directory: OpenDirectory,
    isOld: (ns: bigint) => Promise<boolean>,
  ): Promise<readonly Bytes[]> {
    // Before it is read: what changes from here on shows.
    const { ino, ctimeNs } = await directory.stats();
    const snapshot = this.#snapshots.get(ino);
    if (snapshot !== undefined && (await changedNs(directory)) === snapshot.changedNs) {
      this.#snapshots.delete(ino);
      this.#snapshots.set(ino, snapshot);
      return snapshot.names;
    }
    this.#forget(ino);
    const names = sorted(await readdir(directory.entry("."), { encoding: "latin1" }));
    const fits = names.length >= KEPT_MIN && names.length <= NAMES_MAX;
    if (fits && (await isOld(ctimeNs))) this.#keep(ino, { changedNs: ctimeNs, names });
    return names;
  }

  #keep(inode: bigint, snapshot: Snapshot): void {
    this.#forget(inode);
    this.#snapshots.set(inode, snapshot);
    this.#names += snapshot.names.length;
    for (const oldest of this.#snapshots.keys()) {
      if (this.#names <= NAMES_MAX) return;
      this.#forget(oldest);
    }
  }

  #forget(inode: bigint): void {
    this.#names -= this.#snapshots.get(inode)?.names.length ?? 0;
    this.#snapshots.delete(inode);
  }
}

/** Opened anew, upon which NFS asks its server. Not the time of writing, which programs set back. */
async function changedNs(directory: OpenDirectory): Promise<bigint> {
  const { O_RDONLY, O_DIRECTORY } = constants;
  await using file = await open(directory.entry("."), O_RDONLY | O_DIRECTORY);
  return (await file.stat({ bigint: true })).ctimeNs;
}

/** Node gives them sorted by bytes already, though it does not promise to. */
function sorted(names: Bytes[]): readonly Bytes[] {
  const shown = arePlain(names) ? names : names.map(showName);
  for (let at = 1; at < shown.length; at += 1) {
    if ((shown[at - 1] ?? "") >= (shown[at] ?? "")) return shown.sort();
  }
  return shown;
}

/** All are ASCII without a percent sign: searched together, which takes half of what one by one does. */
function arePlain(names: readonly Bytes[]): boolean {
  for (let at = 0; at < names.length; at += SEARCHED_AT_ONCE) {
    const together = names.slice(at, at + SEARCHED_AT_ONCE).join("/");
    if (/[%\x80-\xff]/.test(together)) return false;
  }
  return true;
}

/** The index of the first name that is not before `name`. */
export function firstFrom(names: readonly Bytes[], name: Bytes): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? "") < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
