import { type BigIntStats, constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { absent, systemCode } from "#blob/system-error.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import type { Bytes } from "#volume/shown-name.ts";
import { unlessStale } from "#volume/stale.ts";
import type { Volume } from "#volume/volume.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * What has a name now, for one who holds the lock of the name and goes by what he sees: what another
 * machine did before that, he sees. undefined: nothing has.
 */
export async function lookedAt(
  { tree }: Volume,
  directory: OpenDirectory,
  name: Bytes,
): Promise<BigIntStats | undefined> {
  const entry = directory.entry(name);
  if (!tree.mount.isShared) return await lstat(entry, { bigint: true }).catch(absent);
  return await unlessStale(async () => {
    await directory.refresh();
    const stats = await lstat(entry, { bigint: true }).catch(absent);
    return stats?.isFile() === true ? ((await opened(entry)) ?? stats) : stats;
  });
}

const UNREADABLE: readonly unknown[] = ["EACCES", "ENOENT", "ELOOP"];

/** An NFS client asks for size and time of a file when it is opened. undefined: it cannot be. */
async function opened(entry: SystemPath): Promise<BigIntStats | undefined> {
  try {
    await using file = await open(entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return await file.stat({ bigint: true });
  } catch (error) {
    if (!UNREADABLE.includes(systemCode(error))) throw error;
    return undefined;
  }
}
