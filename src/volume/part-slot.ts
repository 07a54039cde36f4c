import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, rm } from "node:fs/promises";
import { randomHex } from "#base/random.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import { linked } from "#volume/locks.ts";
import { type PartPlace, readPartRecord } from "#volume/part-record.ts";
import { CLAIMS_CLOSED, CLAIMS_OPEN, goneWith, uploadPath } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

/** Where one part is being written. */
export interface Slot {
  readonly file: FileHandle;
  readonly place: PartPlace;
  /** The part stands, with its record. */
  readonly keep: () => Promise<void>;
  /** Nothing was written that counts; call when nothing is being written any more. */
  readonly drop: () => Promise<void>;
}

interface Part {
  readonly uploadId: string;
  readonly number: number;
  readonly sizeBytes: number;
}

const DATA = /^data-(\d+)$/;

/**
 * Gives a part a place of its own. Parts of one size lie in one file, each at the offset at which it is
 * in the object, so that nothing is left to be moved when all are there; a shorter one, as the last
 * part is, lies in the file of the longer ones. A place is given to one writer, by a claim, and not
 * again while its part stands: who sends a part again gets a file apart, so that a writer that is slow
 * to die can spoil nobody's bytes.
 *
 * Fails: NoSuchUpload, as open(2).
 */
export async function takeSlot(volume: Volume, part: Part): Promise<Slot> {
  const { uploadId, number, sizeBytes } = part;
  const stride = await strideFor(volume, part);
  const offset = (number - 1) * stride;
  if (offset + sizeBytes > volume.limits.fileBytesMax) return await slotApart(volume, part);
  const place = { file: `data-${stride}`, offset };
  const claim = uploadPath(volume, uploadId, `${CLAIMS_OPEN}/${claimName(place)}`);
  const closed = uploadPath(volume, uploadId, `${CLAIMS_CLOSED}/${claimName(place)}`);
  if (!(await claimed(volume, claim))) return await slotApart(volume, part);
  const release = async () => {
    await rm(claim, { force: true });
    // A Complete may have begun meanwhile.
    await rm(closed, { force: true });
  };
  if (volume.hidden.isShared && !(await isStillOpen(volume, uploadId, claimName(place)))) {
    await release();
    return await slotApart(volume, part);
  }
  try {
    const standing = await readPartRecord(volume, uploadId, number);
    if (standing?.place?.file === place.file && standing.place.offset === offset) {
      await release();
      return await slotApart(volume, part);
    }
    const file = await openData(volume, uploadId, place.file);
    const end = async () => {
      await file.close();
      await release();
    };
    return { file, place, keep: end, drop: end };
  } catch (error) {
    await release();
    throw error;
  }
}

export function claimName({ file, offset }: PartPlace): string {
  return `${file}.${offset}`;
}

/** The distance of parts in the file that this one goes to. */
async function strideFor(volume: Volume, { uploadId, sizeBytes }: Part): Promise<number> {
  const names = await readdir(uploadPath(volume, uploadId)).catch((error) =>
    goneWith(error, uploadId),
  );
  const strides = names.map((name) => Number(DATA.exec(name)?.[1]));
  const fitting = strides.filter((stride) => stride >= sizeBytes);
  return fitting.length === 0 ? sizeBytes : Math.min(...fitting);
}

/** False: somebody has it, or the upload takes no claims any more, for it is being completed. */
async function claimed(volume: Volume, claim: string | Buffer): Promise<boolean> {
  try {
    return await linked(volume.owner.path, claim);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * An NFS client may have made the claim in a directory that has long been closed under the name that it
 * remembers. One that is found under the name of now was made before they are closed, and read after that.
 */
async function isStillOpen(volume: Volume, uploadId: string, claim: string): Promise<boolean> {
  const uploads = await volume.hidden.child("uploads");
  try {
    await using upload = await uploads.child(uploadId);
    await using open = await upload.child(CLAIMS_OPEN);
    return (await lstat(open.entry(claim)).catch(absent)) !== undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ESTALE") throw error;
    return false;
  } finally {
    await uploads[Symbol.asyncDispose]();
  }
}

async function openData(volume: Volume, uploadId: string, name: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT } = constants;
  const path = uploadPath(volume, uploadId, name);
  const file = await open(path, O_RDWR | O_CREAT, 0o600).catch((error) =>
    goneWith(error, uploadId),
  );
  await syncUpload(volume, uploadId);
  return file;
}

async function slotApart(volume: Volume, { uploadId, number }: Part): Promise<Slot> {
  const place = { file: `apart-${number}-${randomHex(8)}`, offset: 0 };
  const path = uploadPath(volume, uploadId, place.file);
  const file = await open(path, "wx+", 0o600).catch((error) => goneWith(error, uploadId));
  await syncUpload(volume, uploadId);
  return {
    ...{ file, place },
    keep: async () => await file.close(),
    drop: async () => {
      await file.close();
      await rm(path, { force: true });
    },
  };
}

async function syncUpload(volume: Volume, uploadId: string): Promise<void> {
  await using uploads = await volume.hidden.child("uploads");
  await using upload = await uploads.child(uploadId).catch((error) => goneWith(error, uploadId));
  await upload.sync();
}
