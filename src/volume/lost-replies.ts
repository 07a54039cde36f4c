import { link, lstat, rename } from "node:fs/promises";
import { absent, systemCode } from "#blob/system-error.ts";
import type { SystemPath } from "#volume/open-directory.ts";

/** What gives a file a name; another than the system's own in tests of what becomes of lost replies. */
export type Naming = (from: SystemPath, to: SystemPath) => Promise<void>;

/**
 * An NFS client whose server has done what it was asked, but whose answer was lost, asks again, and is
 * told that the name is there already (link) or is not there any more (rename). What is there tells.
 */

/** False when the second name is another file's. Fails: as link(2). */
export async function linkedAs(
  {
    from,
    to,
    inode,
  }: { readonly from: SystemPath; readonly to: SystemPath; readonly inode: bigint },
  naming: Naming = link,
): Promise<boolean> {
  try {
    await naming(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return await isThere(to, inode);
  }
}

/** Fails: as rename(2). */
export async function renameAs(
  {
    from,
    to,
    inode,
  }: { readonly from: SystemPath; readonly to: SystemPath; readonly inode: bigint },
  naming: Naming = rename,
): Promise<void> {
  try {
    await naming(from, to);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || !(await isThere(to, inode))) throw error;
  }
}

async function isThere(path: SystemPath, inode: bigint): Promise<boolean> {
  const there = await lstat(path, { bigint: true }).catch(absent);
  return there?.ino === inode;
}
