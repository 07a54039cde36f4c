import { type FileHandle, open, readFile, readlink, rm } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { randomHex } from "#base/random.ts";
import { systemCode } from "#blob/system-error.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import { unlessStale } from "#volume/stale.ts";

/** Where a process runs: enough to ask on the same machine whether it still does. */
interface Origin {
  /** Of this start of the kernel; undefined where it does not tell. */
  readonly boot: string | undefined;
  readonly pidNamespace: string | undefined;
  readonly pid: number;
  /** A pid is given again; a pid and the time it was started at are not. */
  readonly started: string | undefined;
}

/** `silent`: on another machine, and without a sign of life for so long that it is thought dead. */
export type Holder = "this process" | "alive" | "silent" | "dead";

/** After so long without a sign a process of another machine is taken for dead. */
const LEASE_NS = 60_000_000_000n;
const BEAT_AFTER_MS = 10_000;
const BEATS_APART_MS = 1_000;
/** The coarsest that file systems have. */
const TICK_NS = 2_000_000_000n;

/**
 * This process, as others that work on the same directory know it: a file that says where it runs and
 * whose time is the last sign of life. Locks and claims are hard links to that file, so that they are
 * made in one step, name their holder, and share its signs of life.
 */
export class Owner implements AsyncDisposable {
  readonly id: string;
  readonly path: SystemPath;
  readonly #file: FileHandle;
  readonly #text: string;
  readonly #origin: Origin;
  readonly #clock: Clock;
  #beatMs = 0;
  #beatNs = 0n;

  private constructor(
    place: { readonly id: string; readonly path: SystemPath },
    file: FileHandle,
    { origin, clock }: { readonly origin: Origin; readonly clock: Clock },
  ) {
    this.id = place.id;
    this.path = place.path;
    this.#file = file;
    this.#text = JSON.stringify(origin);
    this.#origin = origin;
    this.#clock = clock;
  }

  /** Fails: as open(2). */
  static async open(hidden: OpenDirectory, clock: Clock): Promise<Owner> {
    const id = randomHex(8);
    const path = hidden.entry(`owners/${id}`);
    const origin = await ownOrigin();
    const file = await open(path, "wx+", 0o600);
    const owner = new Owner({ id, path }, file, { origin, clock });
    await owner.beat();
    return owner;
  }

  /** Gives a sign of life. The time that the file system gives it, in nanoseconds. */
  async beat(): Promise<bigint> {
    await this.#file.write(this.#text, 0);
    await this.#file.datasync();
    this.#beatMs = this.#clock.now();
    this.#beatNs = (await this.#file.stat({ bigint: true })).mtimeNs;
    return this.#beatNs;
  }

  /**
   * Whether a time that the file system gave lies so far back that it would give another one now. File
   * systems tell times in ticks, within which a change can hide.
   */
  async isOld(ns: bigint): Promise<boolean> {
    if (this.#beatNs - ns > TICK_NS) return true;
    const ageMs = this.#clock.now() - this.#beatMs;
    if (ageMs >= 0 && ageMs < BEATS_APART_MS) return false;
    return (await this.beat()) - ns > TICK_NS;
  }

  /** Gives a sign of life unless there was one lately; whether it was needed. */
  async keepAlive(): Promise<boolean> {
    const ageMs = this.#clock.now() - this.#beatMs;
    if (ageMs >= 0 && ageMs < BEAT_AFTER_MS) return false;
    await this.beat();
    return true;
  }

  /** Whose link that is: undefined when there is none. */
  async holderOf(link: SystemPath): Promise<Holder | undefined> {
    const found = await readOwner(link);
    if (found === undefined) return undefined;
    const own = await this.#file.stat({ bigint: true });
    if (found.inode === own.ino) return "this process";
    const { origin } = found;
    if (origin !== undefined && this.#isHere(origin)) {
      return (await startOf(origin.pid)) === origin.started ? "alive" : "dead";
    }
    return (await this.beat()) - found.mtimeNs > LEASE_NS ? "silent" : "alive";
  }

  /** Whether somebody removed the file, without which no lock can be taken. */
  async isGone(): Promise<boolean> {
    const stats = await this.#file.stat().catch(unlessGone);
    return stats === undefined || stats.nlink === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.path, { force: true });
  }

  #isHere({ boot, pidNamespace }: Origin): boolean {
    return (
      boot !== undefined &&
      pidNamespace !== undefined &&
      boot === this.#origin.boot &&
      pidNamespace === this.#origin.pidNamespace
    );
  }
}

/** For `catch`: another machine removed it. */
function unlessGone(error: unknown): undefined {
  if (systemCode(error) !== "ESTALE") throw error;
}

async function readOwner(path: SystemPath) {
  return await unlessStale(async () => await readOwnerNow(path));
}

async function readOwnerNow(path: SystemPath) {
  const file = await open(path, "r").catch(unlessMissing);
  if (file === undefined) return undefined;
  try {
    const { ino, mtimeNs } = await file.stat({ bigint: true });
    return { inode: ino, mtimeNs, origin: parseOrigin(await file.readFile("utf8")) };
  } finally {
    await file.close();
  }
}

/** undefined for what no release of ours wrote: then only time tells. */
function parseOrigin(text: string): Origin | undefined {
  try {
    const origin: Origin = JSON.parse(text);
    return typeof origin.pid === "number" ? origin : undefined;
  } catch {
    return undefined;
  }
}

async function ownOrigin(): Promise<Origin> {
  const [boot, pidNamespace, started] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(unlessMissing),
    readlink("/proc/self/ns/pid").catch(unlessMissing),
    startOf(process.pid),
  ]);
  return { boot: boot?.trim(), pidNamespace, pid: process.pid, started };
}

/** When a process was started, in ticks since the kernel was; undefined when there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(unlessMissing);
  // After the name, which may hold anything but ends with the last ")": state is the third field.
  return stat?.split(") ").at(-1)?.split(" ")[19];
}

function unlessMissing(error: unknown): undefined {
  const code = systemCode(error);
  if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ESRCH") throw error;
}
