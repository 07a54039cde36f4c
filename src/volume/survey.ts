import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { systemCode } from "#blob/system-error.ts";
import type { OpenDirectory } from "#volume/open-directory.ts";
import type { Bytes } from "#volume/shown-name.ts";
import type { Tree } from "#volume/tree.ts";

const LOOKED_AT_ONCE = 256;
const BLOCK_BYTES = 512n;

/**
 * Looks at everything on the volume's file system below its root, the hidden directory too, in no order
 * and without reading any file. What is renamed meanwhile may be met twice or not at all.
 *
 * Resolves to the bytes that all of it takes on the disk.
 */
export async function survey(
  tree: Tree,
  visit: (stats: BigIntStats) => void = () => {},
): Promise<number> {
  const { dev } = await tree.root.stats();
  return Number(await surveyDirectory(tree.root, { dev, visit }));
}

interface Survey {
  readonly dev: bigint;
  readonly visit: (stats: BigIntStats) => void;
}

async function surveyDirectory(directory: OpenDirectory, given: Survey): Promise<bigint> {
  const names = (await readdir(directory.entry("."), { encoding: "latin1" }).catch(gone)) ?? [];
  let bytes = 0n;
  for (let at = 0; at < names.length; at += LOOKED_AT_ONCE) {
    const some = names.slice(at, at + LOOKED_AT_ONCE);
    const looked = await Promise.all(
      some.map(async (name) => lstat(directory.entry(name), { bigint: true }).catch(gone)),
    );
    for (const [index, stats] of looked.entries()) {
      // Another file system that is mounted here has room of its own.
      if (stats === undefined || stats.dev !== given.dev) continue;
      given.visit(stats);
      bytes += bytesOnDisk(stats);
      if (stats.isDirectory()) bytes += await surveyChild(directory, some[index] ?? "", given);
    }
  }
  return bytes;
}

async function surveyChild(parent: OpenDirectory, name: Bytes, given: Survey): Promise<bigint> {
  const child = await parent.child(name).catch(gone);
  if (child === undefined) return 0n;
  await using directory = child;
  return await surveyDirectory(directory, given);
}

/** A file with several names is met as often. */
function bytesOnDisk(stats: BigIntStats): bigint {
  const bytes = stats.blocks * BLOCK_BYTES;
  return stats.isFile() && stats.nlink > 1n ? bytes / stats.nlink : bytes;
}

/** For `catch`: it went, or the server may not see it. */
function gone(error: unknown): undefined {
  const code = systemCode(error);
  if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP" && code !== "EACCES") throw error;
}
