import { rmdir, unlink } from "node:fs/promises";
import { S3Error } from "#base/error.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import { requireForDelete } from "#object/conditions.ts";
import type { DeleteConditions } from "#object/engine.ts";
import { currentOf } from "#volume/current.ts";
import type { KeyPath } from "#volume/key-path.ts";
import { lookedAt } from "#volume/look.ts";
import { lockName, Replaced } from "#volume/publish.ts";
import type { Volume } from "#volume/volume.ts";

/**
 * Removes the file of a key; what is there but is no object, as a link that leads out of the volume,
 * stays. The directories above it stay, as they would with rm(1). The key of a
 * directory removes it when it is empty: one in which something is is in no list either.
 *
 * Fails: PreconditionFailed; NoSuchKey for If-Match on a missing key.
 */
export async function deleteObject(
  volume: Volume,
  path: KeyPath,
  conditions: DeleteConditions,
): Promise<void> {
  const name = path.names.at(-1) ?? "";
  await using directory = await volume.tree.directory(path.names.slice(0, -1));
  if (directory === undefined || (await currentOf(volume, path)) === undefined) {
    return await requireConditions(volume, path, conditions);
  }
  const entry = directory.entry(name);
  const { ino } = await directory.stats();
  const freed = await volume.locks.hold(lockName(ino, name), async (held) => {
    const there = await lookedAt(volume, directory, name);
    await requireConditions(volume, path, conditions);
    if ((await currentOf(volume, path)) === undefined) return undefined;
    if (path.isDirectory) return (await removedDirectory(entry)) ? 0 : undefined;
    await using replaced = await Replaced.pin(volume, { directory, name, stats: there });
    await held.confirm();
    await unlink(entry).catch(absent);
    return await replaced.forget(volume);
  });
  if (freed === undefined) return;
  await directory.sync();
  if (freed > 0) await volume.usage.count(-freed);
}

async function requireConditions(
  volume: Volume,
  path: KeyPath,
  conditions: DeleteConditions,
): Promise<void> {
  if (Object.keys(conditions).length === 0) return;
  const { modifiedMs } = conditions;
  const current = await currentOf(volume, path);
  if (modifiedMs !== undefined && current?.modifiedMs !== modifiedMs) {
    throw new S3Error("PreconditionFailed", { Condition: "modified" });
  }
  const sizeBytes = path.isDirectory ? 0 : (current?.identity.sizeBytes ?? 0);
  requireForDelete(conditions, current && { ...current, sizeBytes }, path.key);
}

/** False: something is in it, or it is a link to one. */
async function removedDirectory(entry: string | Buffer): Promise<boolean> {
  try {
    await rmdir(entry);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR", "ENOENT", "EBUSY"].includes(String(code))) return false;
    throw error;
  }
}
