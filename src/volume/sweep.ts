import { lstat, readdir, rm } from "node:fs/promises";
import { S3Error } from "#base/error.ts";
import { absent, guarded } from "#blob/system-error.ts";
import { isRemovedButOpen } from "#volume/key-path.ts";
import type { OpenDirectory } from "#volume/open-directory.ts";
import { sweepRecords } from "#volume/sweep-records.ts";
import {
  PARTS,
  readUpload,
  removeAll,
  removeUpload,
  uploadIds,
  uploadPath,
} from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

/** What a sweep removed. */
export interface Swept {
  /** Uploads that nobody completed or aborted. */
  readonly uploads: number;
  /** Files and directories that processes left behind when they died. */
  readonly leftovers: number;
  /** Records of files that are gone. */
  readonly records: number;
  /** What the volume takes on the disk now. */
  readonly usedBytes: number;
}

export interface SweepOptions {
  /** Since an upload was begun, or last got a part. */
  readonly uploadAgeMs: number;
  readonly signal?: AbortSignal | undefined;
}

const NS_PER_MS = 1_000_000n;
const DAY_NS = 86_400_000n * NS_PER_MS;
const OWNER_NS = 30n * DAY_NS;
/** A rename's token answers for a day, and for the time until it is cleared away. */
const TOKEN_NS = DAY_NS + 3_600_000n * NS_PER_MS;

/**
 * Clears away what was abandoned, and measures the volume. Any number of servers may do it at any time;
 * each step can be repeated. Fails: StorageError; as the signal.
 */
export async function sweepVolume(volume: Volume, options: SweepOptions): Promise<Swept> {
  const { signal } = options;
  return await guarded(async () => {
    const uploads = await sweepUploads(volume, options);
    const leftovers = await sweepLeftovers(volume, signal);
    const beganMs = volume.clock.now();
    const { removed, usedBytes } = await sweepRecords(volume, signal);
    await volume.usage.setMeasured(usedBytes, beganMs);
    return { uploads, leftovers, records: removed, usedBytes };
  });
}

/** What a process left behind that died; quick, for the start of a server. Fails: StorageError; as the signal. */
export async function sweepLeftovers(volume: Volume, signal?: AbortSignal): Promise<number> {
  return await guarded(async () => {
    const nowNs = await volume.owner.beat();
    const locks = await sweepLocks(volume, signal);
    const sweep = { nowNs, signal };
    const temporaries = await sweepTemporaries(volume, sweep);
    const tokens = await sweepTokens(volume, sweep);
    await sweepOwners(volume, sweep);
    return locks + temporaries + tokens;
  });
}

interface Sweep {
  readonly nowNs: bigint;
  readonly signal: AbortSignal | undefined;
}

async function sweepUploads(
  volume: Volume,
  { uploadAgeMs, signal }: SweepOptions,
): Promise<number> {
  let removed = 0;
  for (const id of await uploadIds(volume)) {
    signal?.throwIfAborted();
    const info = await readUpload(volume, id);
    const parts = await lstat(uploadPath(volume, id, PARTS)).catch(absent);
    if (info === undefined || parts === undefined) continue;
    const usedMs = Math.max(info.initiatedMs, parts.mtimeMs);
    if (volume.clock.now() - usedMs < uploadAgeMs) continue;
    const freed = await volume.locks
      .hold(id, async () => removeUpload(volume, id))
      .catch(unlessHeld);
    if (freed === undefined) continue;
    await volume.usage.count(-freed);
    removed += 1;
  }
  return removed;
}

/** For `catch`: it is being completed at this moment. */
function unlessHeld(error: unknown): undefined {
  if (!(error instanceof S3Error && error.code === "SlowDown")) throw error;
}

/** Locks of the dead, whose keys nobody wrote to since. */
async function sweepLocks(
  { hidden, owner, locks }: Volume,
  signal: AbortSignal | undefined,
): Promise<number> {
  const cleared = new Set<string>();
  for (const link of await namesIn(hidden, "locks")) {
    signal?.throwIfAborted();
    const name = link.slice(0, link.lastIndexOf("."));
    const holder = await owner.holderOf(hidden.entry(`locks/${link}`));
    if (cleared.has(name) || (holder !== "dead" && holder !== "silent")) continue;
    cleared.add(name);
    await locks.clear(name);
  }
  return cleared.size;
}

/** Unfinished files of the dead; of those that are only silent, after a day without a change. */
async function sweepTemporaries(volume: Volume, { nowNs, signal }: Sweep): Promise<number> {
  const { hidden, owner } = volume;
  let removed = 0;
  for (const name of await namesIn(hidden, "tmp")) {
    signal?.throwIfAborted();
    const [ownerId = ""] = name.split("-", 1);
    const holder = await owner.holderOf(hidden.entry(`owners/${ownerId}`));
    if (holder === "this process" || holder === "alive") continue;
    const path = hidden.entry(`tmp/${name}`);
    const stats = await lstat(path, { bigint: true }).catch(absent);
    if (stats === undefined || (holder !== "dead" && nowNs - stats.ctimeNs < DAY_NS)) continue;
    if (stats.isDirectory()) await removeAll(path);
    else await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

async function sweepOwners(
  { hidden, owner, usage }: Volume,
  { nowNs, signal }: Sweep,
): Promise<void> {
  for (const name of await namesIn(hidden, "owners")) {
    signal?.throwIfAborted();
    const path = hidden.entry(`owners/${name}`);
    const holder = await owner.holderOf(path);
    const stats = await lstat(path, { bigint: true }).catch(absent);
    // A server of another machine that nobody asks anything gives no sign of life.
    const isOld = stats !== undefined && nowNs - stats.mtimeNs > OWNER_NS;
    const isOver = holder === "dead" || isOld;
    if (isOver && holder !== "this process" && holder !== "alive") await rm(path, { force: true });
  }
  await usage.forgetOthers(await namesIn(hidden, "owners"));
}

async function sweepTokens({ hidden }: Volume, { nowNs, signal }: Sweep): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(hidden, "tokens")) {
    signal?.throwIfAborted();
    const path = hidden.entry(`tokens/${name}`);
    const stats = await lstat(path, { bigint: true }).catch(absent);
    if (stats === undefined || stats.mtimeNs >= nowNs - TOKEN_NS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

/** But those of removed files, which are left to the NFS client that has them open. */
async function namesIn(hidden: OpenDirectory, directory: string): Promise<readonly string[]> {
  const names = await readdir(hidden.entry(directory));
  return names.filter((name) => !isRemovedButOpen(name));
}
