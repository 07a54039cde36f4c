import { type FileHandle, link, lstat, open, readdir, rename } from "node:fs/promises";
import { S3Error } from "#base/error.ts";
import { FileAppender } from "#blob/file-appender.ts";
import { readRange } from "#blob/file-reader.ts";
import { absent, systemCode } from "#blob/system-error.ts";
import type { Held } from "#volume/locks.ts";
import { NewFile } from "#volume/new-file.ts";
import type { PartPlace, PartRecord } from "#volume/part-record.ts";
import { claimName } from "#volume/part-slot.ts";
import { CLAIMS_CLOSED, CLAIMS_OPEN, uploadPath } from "#volume/uploads.ts";
import type { Volume } from "#volume/volume.ts";

/** What an object is made of: the parts that were chosen, among all that there are. */
export interface Assembly {
  readonly uploadId: string;
  readonly chosen: readonly PartRecord[];
  readonly all: readonly PartRecord[];
  readonly held: Held;
}

/** A part, and where it is in the object. */
interface Placed {
  readonly part: PartRecord;
  readonly offset: number;
}

/** Between two of them the lock is confirmed. */
const COPIED_AT_ONCE = 64 * 2 ** 20;

/**
 * The parts as one file that nobody sees yet, while claims are closed. Where most lie in one file at the offsets that they have
 * in the object, it is that file, and only what lies elsewhere is moved in; else all are copied.
 * The upload stays as it was, for the case that the file is not wanted after all.
 *
 * Fails: OperationAborted when a part is replaced meanwhile, InsufficientStorage.
 */
export async function assemble(volume: Volume, assembly: Assembly): Promise<NewFile> {
  const placed = placedInObject(assembly.chosen);
  const base = baseOf(placed);
  const fits = base !== undefined && isFree(placed, base, assembly);
  if (fits && (await isQuiet(volume, assembly, base))) {
    return await fillIn(volume, assembly, { placed, base });
  }
  const bytes = assembledBytes(assembly.chosen);
  using room = await volume.usage.reserve(bytes);
  const file = await NewFile.create(volume);
  try {
    await copyParts(volume, assembly, { placed, into: file.file });
    await room.settle(bytes);
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

function placedInObject(parts: readonly PartRecord[]): Placed[] {
  let offset = 0;
  return parts.map((part) => {
    const placed = { part, offset };
    offset += part.sizeBytes;
    return placed;
  });
}

function isAt({ part, offset }: Placed, file: string): boolean {
  return part.place?.file === file && part.place.offset === offset;
}

/** The file in which the most bytes are where they belong; undefined when none has any. */
function baseOf(placed: readonly Placed[]): string | undefined {
  const bytes = new Map<string, number>();
  for (const each of placed) {
    const file = each.part.place?.file ?? "";
    if (isAt(each, file)) bytes.set(file, (bytes.get(file) ?? 0) + each.part.sizeBytes);
  }
  let best: string | undefined;
  for (const [file, count] of bytes) {
    if (count > (best === undefined ? 0 : (bytes.get(best) ?? 0))) best = file;
  }
  return best;
}

/**
 * Whether the file can become the object without spoiling a part that stands in it: what is moved in
 * covers none, and none that was not chosen is behind the end.
 */
function isFree(placed: readonly Placed[], base: string, { all, chosen }: Assembly): boolean {
  const taken = all
    .flatMap(({ place, sizeBytes }) =>
      place?.file === base ? [{ from: place.offset, to: place.offset + sizeBytes }] : [],
    )
    .sort((a, b) => a.from - b.from);
  if ((taken.at(-1)?.to ?? 0) > assembledBytes(chosen)) return false;
  let next = 0;
  for (const each of placed) {
    if (isAt(each, base)) continue;
    const [from, to] = [each.offset, each.offset + each.part.sizeBytes];
    // Both run in the order of their offsets, and those that are taken do not overlap.
    while (next < taken.length && (taken[next]?.to ?? 0) <= from) next += 1;
    if (from < to && (taken[next]?.from ?? Number.POSITIVE_INFINITY) < to) return false;
  }
  return true;
}

function assembledBytes(parts: readonly PartRecord[]): number {
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** From here on no place in a data file is given to a writer. */
export async function closeClaims(volume: Volume, uploadId: string): Promise<void> {
  const open = uploadPath(volume, uploadId, CLAIMS_OPEN);
  // Missing: one who completed it before and died has closed them.
  await rename(open, uploadPath(volume, uploadId, CLAIMS_CLOSED)).catch(absent);
}

/** Call when the upload goes on after all. */
export async function openClaims(volume: Volume, uploadId: string): Promise<void> {
  const closed = uploadPath(volume, uploadId, CLAIMS_CLOSED);
  await rename(closed, uploadPath(volume, uploadId, CLAIMS_OPEN)).catch(absent);
}

/**
 * Whether nobody writes to the file any more. A claim that stands is of one who does, unless its part
 * was recorded, which comes last, or it is known that its process has died.
 */
async function isQuiet(
  volume: Volume,
  { uploadId, all }: Assembly,
  base: string,
): Promise<boolean> {
  const recorded = new Set(
    all.flatMap(({ place }) => (place === undefined ? [] : claimName(place))),
  );
  const claims = (await readdir(uploadPath(volume, uploadId, CLAIMS_CLOSED)).catch(absent)) ?? [];
  for (const claim of claims) {
    if (!claim.startsWith(`${base}.`) || recorded.has(claim)) continue;
    const path = uploadPath(volume, uploadId, `${CLAIMS_CLOSED}/${claim}`);
    const holder = await volume.owner.holderOf(path);
    if (holder !== undefined && holder !== "dead") return false;
  }
  return true;
}

async function fillIn(
  volume: Volume,
  assembly: Assembly,
  { placed, base }: { readonly placed: readonly Placed[]; readonly base: string },
): Promise<NewFile> {
  const { uploadId } = assembly;
  const path = volume.temporary();
  await link(uploadPath(volume, uploadId, base), path);
  const file = await NewFile.adopt(volume, path);
  try {
    const elsewhere = placed.filter((each) => !isAt(each, base));
    await copyParts(volume, assembly, { placed: elsewhere, into: file.file });
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function copyParts(
  volume: Volume,
  { uploadId, held }: Assembly,
  { placed, into }: { readonly placed: readonly Placed[]; readonly into: FileHandle },
): Promise<void> {
  for (const { part, offset } of placed) {
    if (part.place === undefined || part.sizeBytes === 0) continue;
    await using from = await openPart(volume, uploadId, part.place);
    const appender = new FileAppender(into, offset);
    try {
      const end = part.place.offset + part.sizeBytes;
      for (let at = part.place.offset; at < end; at += COPIED_AT_ONCE) {
        const range = { from: at, to: Math.min(end, at + COPIED_AT_ONCE) };
        for await (const chunk of readRange(from, range)) await appender.write(chunk);
        await held.confirm();
      }
      await appender.flush();
    } catch (error) {
      await appender.abandon();
      throw error;
    }
  }
}

async function openPart(
  volume: Volume,
  uploadId: string,
  { file }: PartPlace,
): Promise<FileHandle> {
  try {
    return await open(uploadPath(volume, uploadId, file), "r");
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw cause;
    const message = "A part was uploaded while the upload was being completed. Try again.";
    throw new S3Error("OperationAborted", {}, { message, cause });
  }
}

/** The file of an upload that is an object already: whoever completed it died before he could say so. */
export async function isPublished(
  volume: Volume,
  uploadId: string,
  inode: bigint,
): Promise<boolean> {
  const names = await readdir(uploadPath(volume, uploadId)).catch(absent);
  for (const name of names ?? []) {
    if (!name.startsWith("data-")) continue;
    const stats = await lstat(uploadPath(volume, uploadId, name), { bigint: true }).catch(absent);
    if (stats?.ino === inode) return true;
  }
  return false;
}
