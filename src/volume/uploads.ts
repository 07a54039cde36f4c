import { lstat, mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import type { UploadInfo, UploadInput } from "#object/engine.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { SystemPath } from "#volume/open-directory.ts";
import { holdsNoBytes, replaceable } from "#volume/put.ts";
import { readSmall } from "#volume/read-small.ts";
import type { Volume } from "#volume/volume.ts";
import { writeDurably } from "#volume/write-durably.ts";

const FORMAT = 1;
const TIME_HEX_DIGITS = 12;
const RANDOM_BYTES = 10;
const SHAPE = /^[0-9a-f]{32}$/;
const REMOVED_AT_ONCE = 64;
/** Of stat(2), whatever the file system has. */
const BLOCK_BYTES = 512;

/** What an upload's directory holds below it: claims on the data files, and records of parts. */
export const CLAIMS_OPEN = "open";
export const CLAIMS_CLOSED = "closed";
export const PARTS = "parts";

interface StoredUpload extends Omit<UploadInfo, "uploadId" | "encryption"> {
  readonly format: number;
}

/** Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html */
export async function createUpload(
  volume: Volume,
  path: KeyPath,
  { attributes, algorithm, checksumType }: UploadInput,
): Promise<UploadInfo> {
  const { key } = path;
  if (path.isDirectory) throw holdsNoBytes(key);
  await replaceable(volume, path);
  const initiatedMs = volume.clock.now();
  // Begins with the time, so that the uploads of a key sort by age.
  const time = initiatedMs.toString(16).padStart(TIME_HEX_DIGITS, "0");
  const uploadId = time + randomHex(RANDOM_BYTES);
  const info = { key, initiatedMs, attributes, algorithm, checksumType };
  const stored: StoredUpload = { format: FORMAT, ...info };
  const unseen = `tmp/${volume.owner.id}-${uploadId}`;
  await mkdir(volume.hidden.entry(unseen), 0o700);
  await mkdir(volume.hidden.entry(`${unseen}/${CLAIMS_OPEN}`), 0o700);
  await mkdir(volume.hidden.entry(`${unseen}/${PARTS}`), 0o700);
  await writeDurably(volume.hidden.entry(`${unseen}/upload.json`), JSON.stringify(stored));
  await using directory = await volume.hidden.child("tmp");
  await using inside = await directory.child(`${volume.owner.id}-${uploadId}`);
  await inside.sync();
  await rename(volume.hidden.entry(unseen), uploadPath(volume, uploadId));
  await volume.uploads.sync();
  return { ...info, uploadId };
}

export function uploadPath({ hidden }: Volume, uploadId: string, below = ""): SystemPath {
  return hidden.entry(`uploads/${uploadId}${below === "" ? "" : `/${below}`}`);
}

/** Fails: NoSuchUpload. */
export async function findUpload(
  volume: Volume,
  key: string,
  uploadId: string,
): Promise<UploadInfo> {
  const info = SHAPE.test(uploadId) ? await readUpload(volume, uploadId) : undefined;
  if (info?.key !== key) throw noSuchUpload(uploadId);
  return info;
}

/** undefined when there is none, or not any more. */
export async function readUpload(
  volume: Volume,
  uploadId: string,
): Promise<UploadInfo | undefined> {
  if (volume.hidden.isShared) await refreshUploads(volume);
  const path = uploadPath(volume, uploadId, "upload.json");
  const text = await readSmall(path);
  if (text === undefined) return undefined;
  const { format, key, initiatedMs, attributes, algorithm, checksumType }: StoredUpload =
    JSON.parse(text);
  if (format !== FORMAT) return undefined;
  return { uploadId, key, initiatedMs, attributes, algorithm, checksumType };
}

/** So that what another machine completed or aborted is not found where it was. */
async function refreshUploads({ hidden }: Volume): Promise<void> {
  const uploads = await hidden.child("uploads");
  await uploads[Symbol.asyncDispose]();
}

/** Those that are there now, in no order. */
export async function uploadIds({ hidden }: Volume): Promise<readonly string[]> {
  const names = await readdir(hidden.entry("uploads"));
  return names.filter((name) => SHAPE.test(name));
}

/** Fails: NoSuchUpload. */
export async function abortUpload(volume: Volume, key: string, uploadId: string): Promise<void> {
  await findUpload(volume, key, uploadId);
  // A Complete that is under way wins.
  const freed = await volume.locks.hold(uploadId, async () => removeUpload(volume, uploadId));
  if (freed === undefined) throw noSuchUpload(uploadId);
  await volume.usage.count(-freed);
}

/** The upload is gone at once and for good; then its files go. The bytes that they gave back. */
export async function removeUpload(volume: Volume, uploadId: string): Promise<number | undefined> {
  const unseen = volume.temporary();
  try {
    await rename(uploadPath(volume, uploadId), unseen);
  } catch (error) {
    absent(error);
    return undefined;
  }
  await volume.uploads.sync();
  return await removeAll(unseen);
}

/** Removes a directory of ours with all that is in it. The bytes of files that had no other name. */
export async function removeAll(path: SystemPath): Promise<number> {
  let freed = 0;
  const names = await readdir(path, { encoding: "latin1" });
  for (let at = 0; at < names.length; at += REMOVED_AT_ONCE) {
    const some = names.slice(at, at + REMOVED_AT_ONCE);
    const sizes = await Promise.all(some.map(async (name) => removeOne(join(path, name))));
    freed += sizes.reduce((sum, size) => sum + size, 0);
  }
  await rmdir(path).catch(unlessUsed);
  return freed;
}

async function removeOne(path: SystemPath): Promise<number> {
  const stats = await lstat(path).catch(absent);
  if (stats === undefined) return 0;
  if (stats.isDirectory()) return await removeAll(path);
  await unlink(path).catch(unlessOpen);
  // Not its size: of a file of parts, holes are no bytes.
  return stats.nlink === 1 ? stats.blocks * BLOCK_BYTES : 0;
}

function join(path: SystemPath, name: string): SystemPath {
  return typeof path === "string"
    ? `${path}/${name}`
    : Buffer.concat([path, Buffer.from(`/${name}`, "latin1")]);
}

/** For `catch`: it went, or it is what NFS calls a file that was removed while it is open. */
function unlessOpen(error: unknown): void {
  if (systemCode(error) !== "EBUSY") absent(error);
}

/**
 * For `catch`: it went, or a writer that is slow to end has a file in it open, which on NFS stays there
 * under another name until then. A sweep takes it.
 */
function unlessUsed(error: unknown): void {
  const code = systemCode(error);
  if (code !== "ENOTEMPTY" && code !== "EEXIST") absent(error);
}

function noSuchUpload(uploadId: string): S3Error<"NoSuchUpload"> {
  return new S3Error("NoSuchUpload", { UploadId: uploadId });
}

/** What a missing directory of an upload means. Fails: NoSuchUpload, else `error`. */
export function goneWith(error: unknown, uploadId: string): never {
  const code = systemCode(error);
  throw code === "ENOENT" || code === "ESTALE" ? noSuchUpload(uploadId) : error;
}
