import { type BigIntStats, lstat } from "node:fs";
import { systemCode } from "#blob/system-error.ts";
import type { FileRecord } from "#volume/file-record.ts";
import { type Identity, identityOf } from "#volume/identity.ts";
import { isHidden, isRemovedButOpen } from "#volume/key-path.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import { type Bytes, nameShownAs } from "#volume/shown-name.ts";
import { firstFrom } from "#volume/sorted-names.ts";
import type { Volume } from "#volume/volume.ts";

/** What comes next in the order of keys; keys as bytes. */
export type Step =
  | {
      readonly kind: "file";
      readonly key: Bytes;
      readonly identity: Identity;
      readonly record: FileRecord | undefined;
    }
  /** A directory that nothing was shown of; a key of its own. */
  | { readonly kind: "empty"; readonly key: Bytes; readonly identity: Identity }
  /** A directory that is met, before anything in it: `enter` goes on with that, else it is passed over. */
  | { readonly kind: "directory"; readonly key: Bytes; readonly enter: () => Promise<void> };

export interface WalkAsk {
  /** Ends in a slash, or is empty for the root. */
  readonly base: Bytes;
  /** Names in the base directory begin with it. */
  readonly namePrefix: Bytes;
  /** Only what comes after this key. */
  readonly after: Bytes;
  /** Neither looked at nor shown; asked again for each, so that it may change on the way. */
  readonly passesOver: (key: Bytes) => boolean;
  /** How many entries are looked at together at most. */
  readonly batchMax: () => number;
}

/** One directory on the way from the base to where the walk is. */
interface Level {
  readonly directory: OpenDirectory;
  readonly identity: Identity;
  readonly key: Bytes;
  readonly path: readonly Bytes[];
  readonly names: readonly Bytes[];
  /** Of the next name that was not looked at yet, and the end of those that are meant. */
  at: number;
  readonly end: number;
  /** Directories whose name is shorter than the place where the walk began, but whose key is later. */
  readonly before: Bytes[];
  /** What was looked at, the next one last. */
  ready: Entry[];
  /** Directories whose turn comes when no name before their slash is left, the next one last. */
  readonly late: Entry[];
  shown: boolean;
}

interface Entry {
  readonly name: Bytes;
  readonly stats: BigIntStats;
  readonly isLink: boolean;
  readonly record: FileRecord | undefined;
}

const KEY_BYTES_MAX = 1_024;
const SLASH = "/";

/**
 * A walk over the files below a directory in the order of their keys: that of their names, except that a
 * directory comes where its name with a slash does, after `a-b` and `a.b` and before `a0`. It reads each
 * directory when it comes to it, holds those above it open, and looks at files a batch at a time.
 * Links to what lies inside are what they lead to, unless that is a directory above them.
 */
export class Walk implements AsyncDisposable {
  readonly #volume: Volume;
  readonly #ask: WalkAsk;
  readonly #levels: Level[] = [];

  private constructor(volume: Volume, ask: WalkAsk) {
    this.#volume = volume;
    this.#ask = ask;
  }

  /** undefined when there is no such directory. */
  static async begin(volume: Volume, ask: WalkAsk): Promise<Walk | undefined> {
    const path = ask.base === "" ? [] : ask.base.slice(0, -1).split(SLASH).map(nameShownAs);
    const directory = await volume.tree.directory(path);
    if (directory === undefined) return undefined;
    const walk = new Walk(volume, ask);
    await walk.#enter({ directory, key: ask.base, path, namePrefix: ask.namePrefix });
    return walk;
  }

  /** undefined at the end. */
  async next(): Promise<Step | undefined> {
    for (;;) {
      const level = this.#levels.at(-1);
      if (level === undefined) return undefined;
      if (level.ready.length === 0 && hasMore(level)) await this.#look(level);
      const step = this.#take(level);
      if (step !== undefined) return step;
      if (level.ready.length > 0 || level.late.length > 0 || hasMore(level)) continue;
      const empty = await this.#leave(level);
      if (empty !== undefined) return empty;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { directory } of this.#levels) await directory[Symbol.asyncDispose]();
    this.#levels.length = 0;
  }

  /** The next of the entries that were looked at, or a directory whose turn has come. */
  #take(level: Level): Step | undefined {
    const entry = level.ready.at(-1);
    const late = level.late.at(-1);
    if (late !== undefined && (entry === undefined ? !hasMore(level) : comesFirst(late, entry))) {
      level.late.pop();
      return this.#directory(level, late);
    }
    if (entry === undefined) return undefined;
    level.ready.pop();
    if (entry.stats.isDirectory()) {
      level.late.push(entry);
      return undefined;
    }
    const key = level.key + entry.name;
    if (!entry.stats.isFile() || key.length > KEY_BYTES_MAX) return undefined;
    level.shown = true;
    if (key <= this.#ask.after) return undefined;
    return { kind: "file", key, identity: identityOf(entry.stats), record: entry.record };
  }

  #directory(level: Level, entry: Entry): Step | undefined {
    const key = `${level.key}${entry.name}${SLASH}`;
    if (key.length > KEY_BYTES_MAX) return undefined;
    level.shown = true;
    const { after } = this.#ask;
    if (key < after && !after.startsWith(key)) return undefined;
    if (this.#ask.passesOver(key)) return undefined;
    return { kind: "directory", key, enter: async () => await this.#descend(level, entry, key) };
  }

  async #descend(level: Level, entry: Entry, key: Bytes): Promise<void> {
    const name = nameShownAs(entry.name);
    const path = [...level.path, name];
    const directory = entry.isLink
      ? await this.#volume.tree.directory(path)
      : await level.directory.child(name).catch(gone);
    if (directory === undefined) return;
    if (entry.isLink && this.#levels.some(({ identity }) => identity.inode === entry.stats.ino)) {
      return await directory[Symbol.asyncDispose]();
    }
    await this.#enter({ directory, key, path, namePrefix: "" });
  }

  async #enter({
    directory,
    key,
    path,
    namePrefix,
  }: Pick<Level, "directory" | "key" | "path"> & { readonly namePrefix: Bytes }): Promise<void> {
    try {
      const identity = identityOf(await directory.stats());
      const { owner } = this.#volume;
      const names = await this.#volume.names
        .of(directory, async (ns) => await owner.isOld(ns))
        .catch(unreadable);
      const span = spanOf(names, { key, namePrefix, after: this.#ask.after });
      const level = { directory, identity, key, path, names, ...span };
      this.#levels.push({ ...level, ready: [], late: [], shown: false });
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }

  /** The directory itself, when nothing in it was shown. */
  async #leave(level: Level): Promise<Step | undefined> {
    this.#levels.pop();
    await level.directory[Symbol.asyncDispose]();
    const { key, identity } = level;
    const { after, namePrefix } = this.#ask;
    const isMeant = this.#levels.length > 0 || namePrefix === "";
    if (level.shown || key === "" || key <= after || !isMeant) return undefined;
    return { kind: "empty", key, identity };
  }

  async #look(level: Level): Promise<void> {
    const names: Bytes[] = [];
    const batch = Math.max(1, this.#ask.batchMax());
    while (names.length < batch && hasMore(level)) {
      const name = level.before.shift() ?? level.names[level.at++] ?? "";
      if ((level.key === "" && isHidden([name])) || isRemovedButOpen(name)) continue;
      if (this.#ask.passesOver(level.key + name)) continue;
      names.push(name);
    }
    const entries = await Promise.all(names.map(async (name) => await this.#entry(level, name)));
    level.ready = entries.filter((entry) => entry !== undefined).reverse();
  }

  async #entry(level: Level, shown: Bytes): Promise<Entry | undefined> {
    const name = nameShownAs(shown);
    const stats = await look(level.directory.entry(name));
    if (stats === undefined) return undefined;
    if (stats.isFile()) return await this.#withRecord({ name: shown, stats, isLink: false });
    if (!stats.isSymbolicLink()) {
      return { name: shown, stats, isLink: false, record: undefined };
    }
    await using found = await this.#volume.tree.find([...level.path, name]);
    if (found === undefined) return undefined;
    return await this.#withRecord({ name: shown, stats: found.stats, isLink: true });
  }

  async #withRecord(entry: Omit<Entry, "record">): Promise<Entry> {
    if (!entry.stats.isFile()) return { ...entry, record: undefined };
    return { ...entry, record: await this.#volume.records.find(identityOf(entry.stats)) };
  }
}

function hasMore({ before, at, end }: Level): boolean {
  return before.length > 0 || at < end;
}

/** A directory before a name, when the slash is before what the name goes on with. */
function comesFirst(directory: Entry, { name }: Entry): boolean {
  return directory.name + SLASH < name;
}

/** The names of a directory that are meant, and where to begin among them. */
function spanOf(
  names: readonly Bytes[],
  ask: { readonly key: Bytes; readonly namePrefix: Bytes; readonly after: Bytes },
): Pick<Level, "at" | "end" | "before"> {
  const { key, namePrefix, after } = ask;
  const first = firstFrom(names, namePrefix);
  // Above every byte.
  const end = namePrefix === "" ? names.length : firstFrom(names, `${namePrefix}\u0100`);
  if (after <= key) return { at: first, end, before: [] };
  if (!after.startsWith(key)) return { at: end, end, before: [] };
  const [begin = ""] = after.slice(key.length).split(SLASH, 1);
  const at = Math.min(end, Math.max(first, firstFrom(names, begin)));
  return { at, end, before: shorter(names, begin, namePrefix) };
}

/** Names that `begin` begins with, and goes on with less than a slash: as directories they come later. */
function shorter(names: readonly Bytes[], begin: Bytes, namePrefix: Bytes): Bytes[] {
  const found: Bytes[] = [];
  for (let length = Math.max(1, namePrefix.length); length < begin.length; length += 1) {
    if ((begin[length] ?? "") >= SLASH) continue;
    const name = begin.slice(0, length);
    if (names[firstFrom(names, name)] === name) found.push(name);
  }
  return found;
}

// The callback call costs half of the promise's, and there is one for each file of a list.
function look(path: SystemPath): Promise<BigIntStats | undefined> {
  return new Promise((done, fail) => {
    lstat(path, { bigint: true }, (error, stats) => {
      if (error === null) done(stats);
      else if (isGone(error)) done(undefined);
      else fail(error);
    });
  });
}

/** For `catch`. */
function gone(error: unknown): undefined {
  if (!isGone(error)) throw error;
}

/** It went, or was exchanged for something else, or the server may not see it. */
function isGone(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "EACCES";
}

/** A directory that the server may not read is shown as one in which nothing is. */
function unreadable(error: unknown): readonly Bytes[] {
  if (systemCode(error) !== "EACCES") throw error;
  return [];
}
