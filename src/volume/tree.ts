import { type BigIntStats, existsSync } from "node:fs";
import { lstat, readlink, realpath } from "node:fs/promises";
import { systemCode } from "#blob/system-error.ts";
import { isHidden } from "#volume/key-path.ts";
import { type Mount, mountOf } from "#volume/mount.ts";
import { OpenDirectory } from "#volume/open-directory.ts";
import type { Bytes } from "#volume/shown-name.ts";

/** An entry of a directory, links followed: it is no link itself. */
export interface Found extends AsyncDisposable {
  readonly directory: OpenDirectory;
  readonly name: Bytes;
  readonly stats: BigIntStats;
}

/** As the kernel has it. */
const LINKS_MAX = 40;

/**
 * The directories and files below a root, and nothing else. Symbolic links are followed while they stay
 * below it. Each step opens the next directory by the descriptor of the one before and follows no link
 * unseen, so that nobody who renames or links meanwhile leads a step out; whole paths are opened at once
 * only where the kernel then says that no link was on the way.
 */
export class Tree implements AsyncDisposable {
  readonly root: OpenDirectory;
  /** Where the root was when it was last looked for. */
  #rootName: Bytes;
  readonly #byName: boolean;
  /** How what it lies on is mounted. */
  readonly mount: Mount;

  private constructor(
    root: OpenDirectory,
    rootName: Bytes,
    { byName, mount }: { readonly byName: boolean; readonly mount: Mount },
  ) {
    this.root = root;
    this.#rootName = rootName;
    this.#byName = byName;
    this.mount = mount;
  }

  /**
   * `byName` where there is no `/proc/self/fd`: then a directory that is exchanged for a link at the
   * very moment can lead out. Fails: as open(2).
   */
  static async open(
    path: string,
    {
      byName = !existsSync("/proc/self/fd"),
      isShared,
    }: { readonly byName?: boolean | undefined; readonly isShared?: boolean | undefined } = {},
  ): Promise<Tree> {
    const real = await realpath(path, { encoding: "latin1" });
    const { dev } = await lstat(Buffer.from(real, "latin1"), { bigint: true });
    const found = await mountOf(dev);
    const mount = isShared === undefined ? found : { ...found, isShared };
    const root = await OpenDirectory.open(Buffer.from(real, "latin1"), {
      byName: byName ? real : undefined,
      isShared: mount.isShared,
    });
    return new Tree(root, real, { byName, mount });
  }

  /** The directory of that path; undefined when there is none, or it is outside. */
  async directory(names: readonly Bytes[]): Promise<OpenDirectory | undefined> {
    if (names.length === 0) return await this.root.again();
    if (isHidden(names)) return undefined;
    // What was looked at earlier on the way to it may have another name now, behind a cache.
    if (!this.#byName && !this.mount.isShared) {
      const straight = await this.#straight(names);
      if (straight !== "unsure") return straight;
    }
    await using found = await this.#walk(names);
    if (found === undefined || !found.stats.isDirectory()) return undefined;
    return await found.directory.child(found.name).catch(gone);
  }

  /** The entry of that path; undefined when there is none, or it is outside. */
  async find(names: readonly Bytes[]): Promise<Found | undefined> {
    const name = names.at(-1);
    if (name === undefined || isHidden(names)) return undefined;
    const directory = await this.directory(names.slice(0, -1));
    if (directory === undefined) return undefined;
    const stats = await lstat(directory.entry(name), { bigint: true }).catch(gone);
    if (stats !== undefined && !stats.isSymbolicLink()) return found({ directory, name, stats });
    await directory[Symbol.asyncDispose]();
    return stats === undefined ? undefined : await this.#walk(names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.root[Symbol.asyncDispose]();
  }

  /** One step for the whole path; "unsure" unless it led there without a link. */
  async #straight(names: readonly Bytes[]): Promise<OpenDirectory | undefined | "unsure"> {
    const path = names.join("/");
    let directory: OpenDirectory;
    try {
      directory = await this.root.child(path);
    } catch (error) {
      gone(error);
      return systemCode(error) === "ENOENT" || systemCode(error) === "ESTALE"
        ? undefined
        : "unsure";
    }
    const there = await realName(directory);
    if (there === `${this.#rootName}/${path}`) return directory;
    await directory[Symbol.asyncDispose]();
    this.#rootName = (await realName(this.root)) ?? this.#rootName;
    return "unsure";
  }

  /** Step by step, reading each link. */
  async #walk(names: readonly Bytes[]): Promise<Found | undefined> {
    await this.root.refresh();
    const walk = new Walk(this.root, names);
    try {
      return await walk.run();
    } finally {
      await walk[Symbol.asyncDispose]();
    }
  }
}

/** One way down, with all directories on it held open, so that `..` in a link goes back up it. */
class Walk implements AsyncDisposable {
  readonly #root: OpenDirectory;
  #trail: { readonly name: Bytes; readonly directory: OpenDirectory }[] = [];
  /** Names to come, the next one last. */
  readonly #pending: Bytes[];
  #links = 0;

  constructor(root: OpenDirectory, names: readonly Bytes[]) {
    this.#root = root;
    this.#pending = names.toReversed();
  }

  async run(): Promise<Found | undefined> {
    for (;;) {
      const name = this.#pending.pop();
      if (name === undefined) return await this.#back();
      const way = name === ".." ? await this.#up() : await this.#to(name);
      if (way !== "on") return way;
    }
  }

  /** One name further. */
  async #to(name: Bytes): Promise<Found | undefined | "on"> {
    if (name === "" || name === ".") return "on";
    if (this.#trail.length === 0 && isHidden([name])) return undefined;
    const stats = await lstat(this.#here.entry(name), { bigint: true }).catch(gone);
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return (await this.#follow(name)) ? "on" : undefined;
    if (this.#pending.length === 0) return this.#end(name, stats);
    return (await this.#enter(name)) ? "on" : undefined;
  }

  /** Never above the root. */
  async #up(): Promise<undefined | "on"> {
    const last = this.#trail.pop();
    await last?.directory[Symbol.asyncDispose]();
    return last === undefined ? undefined : "on";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { directory } of this.#trail) await directory[Symbol.asyncDispose]();
    this.#trail = [];
  }

  get #here(): OpenDirectory {
    return this.#trail.at(-1)?.directory ?? this.#root;
  }

  async #enter(name: Bytes): Promise<boolean> {
    const directory = await this.#here.child(name).catch(gone);
    if (directory === undefined) return false;
    this.#trail.push({ name, directory });
    return true;
  }

  /** False: it leads outside, or nowhere. */
  async #follow(name: Bytes): Promise<boolean> {
    this.#links += 1;
    if (this.#links > LINKS_MAX) return false;
    const target = await readlink(this.#here.entry(name), { encoding: "latin1" }).catch(noLink);
    if (target === "no link") {
      this.#pending.push(name);
      return true;
    }
    if (target === undefined) return false;
    if (!target.startsWith("/")) {
      this.#pending.push(...target.split("/").toReversed());
      return true;
    }
    const root = await realName(this.#root);
    if (root === undefined || (target !== root && !target.startsWith(`${root}/`))) return false;
    await this[Symbol.asyncDispose]();
    this.#pending.push(...target.slice(root.length).split("/").toReversed());
    return true;
  }

  /** The way ended in a directory that is open already, as `link -> ..` does. */
  async #back(): Promise<Found | undefined> {
    const last = this.#trail.pop();
    if (last === undefined) return undefined;
    const stats = await last.directory.stats();
    await last.directory[Symbol.asyncDispose]();
    return this.#end(last.name, stats);
  }

  #end(name: Bytes, stats: BigIntStats): Found {
    const directory = this.#trail.pop()?.directory ?? this.#root.borrowed();
    return found({ directory, name, stats });
  }
}

function found({ directory, name, stats }: Omit<Found, keyof AsyncDisposable>): Found {
  return {
    directory,
    name,
    stats,
    [Symbol.asyncDispose]: async () => await directory[Symbol.asyncDispose](),
  };
}

/** Where the kernel says that a directory is now. */
async function realName(directory: OpenDirectory): Promise<Bytes | undefined> {
  const { self } = directory;
  const byName = !String(self).startsWith("/proc/self/fd/");
  return byName
    ? Buffer.from(self).toString("latin1")
    : await readlink(self, { encoding: "latin1" }).catch(gone);
}

/** For `catch`: since it was looked at it was exchanged for something else, or went. */
function noLink(error: unknown): "no link" | undefined {
  return systemCode(error) === "EINVAL" ? "no link" : gone(error);
}

/** For `catch`: nothing that is reached by that name. */
function gone(error: unknown): undefined {
  const code = systemCode(error);
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG")
    return;
  // Of a directory that another machine removed.
  if (code === "ESTALE") return;
  throw error;
}
