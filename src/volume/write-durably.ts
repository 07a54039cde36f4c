import { open, rename, rm } from "node:fs/promises";
import type { SystemPath } from "#volume/open-directory.ts";

/** Writes a new file, durable but for its name. Fails: as open(2). */
export async function writeDurably(path: SystemPath, text: string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.datasync();
}

/** Replaces a file by a new one in one step, durable but for its name. Fails: as rename(2). */
export async function replaceDurably(
  path: SystemPath,
  text: string,
  temporary: SystemPath,
): Promise<void> {
  try {
    await writeDurably(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
