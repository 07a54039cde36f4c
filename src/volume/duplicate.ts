import { constants } from "node:fs";
import { copyFile, type FileHandle, rm } from "node:fs/promises";
import { type ChecksumAlgorithm, type Hasher, hasher } from "#base/checksum.ts";
import { FileAppender } from "#blob/file-appender.ts";
import { systemCode } from "#blob/system-error.ts";
import type { Checksum } from "#object/attributes.ts";
import type { Current } from "#volume/current.ts";
import { checksumFrom } from "#volume/file-digests.ts";
import type { Identity } from "#volume/identity.ts";
import { NewFile } from "#volume/new-file.ts";
import { readWhole, requireUnchanged } from "#volume/open-file.ts";
import type { OpenedObject } from "#volume/read.ts";
import type { Volume } from "#volume/volume.ts";

/** A file with the bytes of another, not sealed yet, and what came to be known of them. */
export interface Duplicate {
  readonly file: NewFile;
  /** Hexadecimal; undefined when no byte was read, and nothing was known. */
  readonly md5: string | undefined;
  readonly checksum: Checksum | undefined;
}

/** What is known of the bytes of a file without reading them. */
export interface KnownDigests {
  /** Hexadecimal. */
  readonly md5: string | undefined;
  readonly checksum: Checksum | undefined;
}

/** As it was told when the file was written through S3, else as computed in the background. */
export async function knownDigests(
  { records }: Volume,
  { identity, record }: Current,
): Promise<KnownDigests> {
  if (record !== undefined) return { md5: undefined, checksum: record.checksum };
  const bound = await records.readDigests(identity.inode);
  const checksum = checksumFrom(bound, identity);
  return { md5: checksum === undefined ? undefined : bound?.digests.md5, checksum };
}

/** Fails: StorageError "conflict" when the source is written to meanwhile. */
export async function duplicate(
  volume: Volume,
  { from, known }: { readonly from: OpenedObject; readonly known: KnownDigests },
  algorithm: ChecksumAlgorithm | undefined,
): Promise<Duplicate> {
  const { identity, record } = from.current;
  const shared = await share(volume, from.file);
  const file = shared ?? (await NewFile.create(volume));
  try {
    if (shared !== undefined) {
      await requireUnchanged(from.file, identity);
      return { file, md5: known.md5, checksum: await checksumOf({ from, known }, algorithm) };
    }
    const isKnown = algorithm === undefined || isOf(known.checksum, algorithm);
    const sum = isKnown ? undefined : hasher(algorithm);
    const needsMd5 = record?.etag === undefined && known.md5 === undefined;
    const md5 = needsMd5 ? hasher("MD5") : undefined;
    const hashers = [sum, md5].filter((each) => each !== undefined);
    await pour(from.file, identity, { into: file.file, hashers });
    const checksum = isKnown ? known.checksum : wholeChecksum(algorithm, sum);
    return { file, md5: md5?.digest().toString("hex") ?? known.md5, checksum };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

/** Whether a known checksum is of the whole, and by the algorithm that is asked for. */
function isOf(known: Checksum | undefined, algorithm: ChecksumAlgorithm): boolean {
  return known?.type === "FULL_OBJECT" && known.algorithm === algorithm;
}

/** The one that is known, or one that is asked for, for which the bytes are read. */
export async function checksumOf(
  { from, known }: { readonly from: OpenedObject; readonly known: KnownDigests },
  algorithm: ChecksumAlgorithm | undefined,
): Promise<Checksum | undefined> {
  if (algorithm === undefined || isOf(known.checksum, algorithm)) return known.checksum;
  const { file, current } = from;
  const { identity } = current;
  const sum = hasher(algorithm);
  const whole = { from: 0, to: identity.sizeBytes };
  for await (const chunk of readWhole(file, identity, whole)) sum.update(chunk);
  return wholeChecksum(algorithm, sum);
}

function wholeChecksum(
  algorithm: ChecksumAlgorithm,
  sum: Hasher | undefined,
): Checksum | undefined {
  if (sum === undefined) return undefined;
  return { algorithm, type: "FULL_OBJECT", value: sum.digest().toString("base64") };
}

/** A new file over the same blocks, until one of the two is written to; undefined where none can be made. */
async function share(volume: Volume, file: FileHandle): Promise<NewFile | undefined> {
  // Only so a file is reached that is open, wherever its name has gone.
  if (process.platform !== "linux") return undefined;
  const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
  const path = volume.temporary();
  try {
    await copyFile(`/proc/self/fd/${file.fd}`, path, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
  } catch (error) {
    // What it says differs from one file system to the next.
    if (systemCode(error) === undefined) throw error;
    await rm(path, { force: true });
    return undefined;
  }
  return await NewFile.adopt(volume, path);
}

async function pour(
  from: FileHandle,
  identity: Identity,
  { into, hashers }: { readonly into: FileHandle; readonly hashers: readonly Hasher[] },
): Promise<void> {
  const appender = new FileAppender(into);
  try {
    for await (const chunk of readWhole(from, identity, { from: 0, to: identity.sizeBytes })) {
      for (const each of hashers) each.update(chunk);
      await appender.write(chunk);
    }
    await appender.flush();
  } catch (error) {
    await appender.abandon();
    throw error;
  }
}
