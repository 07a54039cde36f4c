import { readFile } from "node:fs/promises";
import { systemCode } from "#blob/system-error.ts";
import type { OpenDirectory, SystemPath } from "#volume/open-directory.ts";
import { unlessStale } from "#volume/stale.ts";

/** A small file that any server may replace at any moment, whole; undefined when there is none. */
export async function readSmall(path: SystemPath): Promise<string | undefined> {
  return await unlessStale(async () => await readFile(path, "utf8")).catch(gone);
}

/**
 * The same, of a file in a directory below another: where others may have written it since it was last
 * missed, which an NFS client remembers, they are asked.
 */
export async function readSmallIn(
  above: OpenDirectory,
  { directory, name }: { readonly directory: string; readonly name: string },
): Promise<string | undefined> {
  const text = await readSmall(above.entry(`${directory}/${name}`));
  if (text !== undefined || !above.isShared) return text;
  const asked = await above.child(directory).catch(gone);
  if (asked === undefined) return undefined;
  await using there = asked;
  return await readSmall(there.entry(name));
}

/** For `catch`: it is not there, or the directory that it was in is not. */
function gone(error: unknown): undefined {
  const code = systemCode(error);
  if (code !== "ENOENT" && code !== "ESTALE") throw error;
}
