import { open, rm } from "node:fs/promises";
import { renameAs } from "#volume/lost-replies.ts";
import type { SystemPath } from "#volume/open-directory.ts";

/** Writes a new file, durable but for its name; its inode. Fails: as open(2). */
export async function writeDurably(path: SystemPath, text: string): Promise<bigint> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.datasync();
  return (await file.stat({ bigint: true })).ino;
}

/** Replaces a file by a new one in one step, durable but for its name. Fails: as rename(2). */
export async function replaceDurably(
  path: SystemPath,
  text: string,
  temporary: SystemPath,
): Promise<void> {
  try {
    const inode = await writeDurably(temporary, text);
    await renameAs({ from: temporary, to: path, inode });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
