import { lstat, open, rm, utimes } from "node:fs/promises";
import { S3Error } from "#base/error.ts";
import type { FileRecord } from "#volume/file-record.ts";
import { type Identity, identityOf, isSame, markedSeconds } from "#volume/identity.ts";
import type { KeyPath } from "#volume/key-path.ts";
import { lookedAt } from "#volume/look.ts";
import { lockName } from "#volume/publish.ts";
import type { OpenedObject } from "#volume/read.ts";
import type { Volume } from "#volume/volume.ts";

/**
 * Gives a file another record and a new time. The record of both times is written first, so that the
 * change of the time, one step, is the change of what is seen.
 *
 * Fails: ConditionalRequestConflict when the file was replaced or written to meanwhile.
 */
export async function rewriteRecord(
  volume: Volume,
  { key, names }: KeyPath,
  { from, record }: { readonly from: OpenedObject; readonly record: FileRecord },
): Promise<Identity> {
  const { records, clock } = volume;
  const { identity: old, record: before } = from.current;
  await using found = await volume.tree.find(names);
  if (found === undefined || !isSame(identityOf(found.stats), old)) throw conflict(key);
  const { ino } = await found.directory.stats();
  return await volume.locks.hold(lockName(ino, found.name), async (held) => {
    const now = await lookedAt(volume, found.directory, found.name);
    if (now === undefined || !isSame(identityOf(now), old)) throw conflict(key);
    const seconds = markedSeconds(Math.max(clock.now(), Number(old.mtimeNs / 1_000_000n) + 1));
    const next: Identity = { ...old, mtimeNs: await asStamped(volume, seconds) };
    const kept = before === undefined ? [] : [{ identity: old, record: before }];
    await records.write(old.inode, key, [...kept, { identity: next, record }]);
    await records.sync(old.inode);
    await held.confirm();
    await from.file.utimes(seconds, seconds);
    await from.file.sync();
    return next;
  });
}

/** The time that the file system makes of one that is set. */
async function asStamped(volume: Volume, seconds: number): Promise<bigint> {
  const path = volume.temporary();
  try {
    await (await open(path, "wx", 0o600)).close();
    await utimes(path, seconds, seconds);
    return (await lstat(path, { bigint: true })).mtimeNs;
  } finally {
    await rm(path, { force: true });
  }
}

function conflict(key: string): S3Error {
  return new S3Error("ConditionalRequestConflict", { Key: key });
}
