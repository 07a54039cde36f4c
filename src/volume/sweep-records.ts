import type { BigIntStats } from "node:fs";
import { pathOfKey } from "#volume/key-path.ts";
import { survey } from "#volume/survey.ts";
import type { Volume } from "#volume/volume.ts";

/** In one sweep; the next finds the others. */
const SUSPECTS_MAX = 100_000;
/** A record is written before its file can be seen. */
const YOUNG_NS = 3_600_000_000_000n;

/**
 * Removes records of inodes that are nowhere in the volume any more. A record whose file is not where it
 * was written is suspect; the whole volume is looked through for it twice, since a file that is renamed
 * in the middle of a look can be missed by it.
 */
export async function sweepRecords(
  volume: Volume,
  signal?: AbortSignal,
): Promise<{ readonly removed: number; readonly usedBytes: number }> {
  const oldNs = (await volume.owner.beat()) - YOUNG_NS;
  const suspects = await findSuspects(volume, oldNs, signal);
  const visit = ({ ino }: BigIntStats): void => {
    signal?.throwIfAborted();
    suspects.delete(ino);
  };
  const usedBytes = await survey(volume.tree, visit);
  if (suspects.size > 0) await survey(volume.tree, visit);
  for (const inode of suspects) {
    signal?.throwIfAborted();
    await volume.records.removeOlder(inode, oldNs);
  }
  return { removed: suspects.size, usedBytes };
}

async function findSuspects(
  volume: Volume,
  oldNs: bigint,
  signal: AbortSignal | undefined,
): Promise<Set<bigint>> {
  const suspects = new Set<bigint>();
  for await (const inode of volume.records.inodes()) {
    signal?.throwIfAborted();
    if (suspects.size >= SUSPECTS_MAX) break;
    if (await isWhereItWas(volume, inode)) continue;
    if (await volume.records.isOlder(inode, oldNs)) suspects.add(inode);
  }
  return suspects;
}

async function isWhereItWas({ records, tree }: Volume, inode: bigint): Promise<boolean> {
  const kept = (await records.read(inode)) ?? (await records.readDigests(inode));
  const path = pathOfKey(kept?.key ?? "");
  if (path instanceof Error) return false;
  await using found = await tree.find(path.names);
  return found?.stats.ino === inode;
}
