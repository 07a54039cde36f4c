import { link, rm } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { S3Error } from "#base/error.ts";
import { systemCode } from "#blob/system-error.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import type { Holder, Owner } from "#volume/owner.ts";

/** About ten seconds. */
const ATTEMPTS_MAX = 200;
const PAUSE_MS_MAX = 50;
/** Holders that died one after the other and were not cleared away. */
const RANKS_MAX = 100;

/** What whoever holds a lock asks before what cannot be undone. */
export interface Held {
  /** Fails: OperationAborted when the lock was lost, as to a process that took this one for dead. */
  readonly confirm: () => Promise<void>;
}

/**
 * Locks that processes share, on one machine or on several, over one directory. A lock is a hard link
 * to its holder's owner file, which link(2) makes for one of all who try. Ranks: the lock of a dead
 * holder is never taken away, but a link of the next rank is made above it, which again one of all
 * gets; the holder of a rank holds the lock when all below are there and dead. So nobody removes what
 * may have become another's meanwhile.
 */
export class Locks {
  readonly #hidden: OpenDirectory;
  readonly #owner: Owner;
  readonly #clock: Clock;
  /** In this process those who want the same lock stand in line. */
  readonly #tails = new Map<string, Promise<void>>();

  constructor(hidden: OpenDirectory, owner: Owner, clock: Clock) {
    this.#hidden = hidden;
    this.#owner = owner;
    this.#clock = clock;
  }

  /** `name` can be part of a file name. Fails: SlowDown after ten seconds, as `work`. */
  async hold<T>(name: string, work: (held: Held) => Promise<T>): Promise<T> {
    const before = this.#tails.get(name);
    const turn = Promise.withResolvers<void>();
    this.#tails.set(name, turn.promise);
    await before;
    try {
      const rank = await this.#take(name);
      try {
        return await work({ confirm: async () => await this.#confirm(name, rank) });
      } finally {
        await this.#release(name, rank);
      }
    } finally {
      turn.resolve();
      if (this.#tails.get(name) === turn.promise) this.#tails.delete(name);
    }
  }

  /** Clears away what dead holders left of a lock; one that is alive stays. */
  async clear(name: string): Promise<void> {
    const rank = await this.#try(name);
    if (rank === undefined) return;
    // Above a rank that is held none but dead ones can stay.
    for (let above = rank + 1; above < RANKS_MAX; above += 1) {
      const path = this.#path(name, above);
      if (isGone(await this.#holderOf(path))) await rm(path, { force: true });
    }
    await this.#release(name, rank);
  }

  async #take(name: string): Promise<number> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const rank = await this.#try(name);
      if (rank !== undefined) return rank;
      await this.#clock.sleep(Math.min(2 * attempt, PAUSE_MS_MAX));
    }
    const message = "Another server holds this key. Try again.";
    throw new S3Error("SlowDown", {}, { message });
  }

  /** The rank at which the lock is held now; undefined when a live process has it. */
  async #try(name: string): Promise<number | undefined> {
    await this.#owner.keepAlive();
    for (let rank = 0; rank < RANKS_MAX; rank += 1) {
      const path = this.#path(name, rank);
      const isMade = await linked(this.#owner.path, path);
      const holder = isMade ? undefined : await this.#holderOf(path);
      // This process: the answer to a link was lost on the way, as NFS can. Nobody: it was given back
      // meanwhile, or before, for an NFS client says by itself what it remembers.
      const isOurs =
        isMade || holder === "this process" || (await this.#linkedIfFree(path, holder));
      if (isOurs) {
        if (await this.#allDeadBelow(name, rank)) return rank;
        await rm(path, { force: true });
        return undefined;
      }
      if (!isGone(holder)) return undefined;
    }
    return undefined;
  }

  async #linkedIfFree(path: SystemPath, holder: Holder | undefined): Promise<boolean> {
    return holder === undefined && (await linked(this.#owner.path, path));
  }

  async #allDeadBelow(name: string, rank: number): Promise<boolean> {
    for (let below = 0; below < rank; below += 1) {
      if (!isGone(await this.#holderOf(this.#path(name, below)))) return false;
    }
    return true;
  }

  async #confirm(name: string, rank: number): Promise<void> {
    if (!(await this.#owner.keepAlive())) return;
    const own = await this.#holderOf(this.#path(name, rank));
    const above = await this.#holderOf(this.#path(name, rank + 1));
    if (own === "this process" && above === undefined) return;
    const message = "This server was taken for dead while it worked on this key. Try again.";
    throw new S3Error("OperationAborted", {}, { message });
  }

  /** From below: until the last link is gone, no other can be the lowest and no higher be made. */
  async #release(name: string, rank: number): Promise<void> {
    for (let each = 0; each <= rank; each += 1) {
      await rm(this.#path(name, each), { force: true });
    }
  }

  /** As it is now, not as it was when it was last looked at. */
  async #holderOf(link: SystemPath): Promise<Holder | undefined> {
    if (this.#hidden.isShared) {
      const locks = await this.#hidden.child("locks");
      await locks[Symbol.asyncDispose]();
    }
    return await this.#owner.holderOf(link);
  }

  #path(name: string, rank: number): SystemPath {
    return this.#hidden.entry(`locks/${name}.${rank}`);
  }
}

function isGone(holder: Holder | undefined): boolean {
  return holder === "dead" || holder === "silent";
}

/** False when the second name is there already. Fails: as link(2). */
export async function linked(from: SystemPath, to: SystemPath): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}
