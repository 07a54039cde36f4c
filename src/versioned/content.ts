import { assert } from "#base/assert.ts";
import { hasher } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import type { BlobId, BlobStore, ByteRange } from "#blob/store.ts";
import { contentKeyOf, type Lock, type Seal } from "#versioned/encryption.ts";
import type { Extent } from "#versioned/record.ts";
import { openRange, openWhole } from "#versioned/sealed-chunks.ts";
import type { FoundVersion } from "#versioned/store.ts";

/** The inline bytes of a version, in the clear. Fails: StorageError "corrupt". */
export function openInline(
  { record, inline }: Pick<FoundVersion, "record" | "inline">,
  lock: Lock | undefined,
): Uint8Array {
  const seal = record.content.kind === "inline" ? record.content.seal : undefined;
  if (seal === undefined) return inline;
  assert(lock !== undefined, "what is sealed is read with its lock");
  return openWhole(inline, contentKeyOf(seal, lock));
}

/**
 * The bytes `from <= i < to` of a run of extents, in the clear.
 * Fails: StorageError "corrupt" before the last chunk of a blob that is read whole and is not what
 * was written; of a sealed one, before any such byte.
 */
export async function* readExtents(
  blobs: BlobStore,
  extents: readonly Extent[],
  range: { readonly from: number; readonly to: number; readonly lock: Lock | undefined },
): AsyncIterable<Uint8Array> {
  let start = 0;
  for (const extent of extents) {
    const from = Math.max(range.from, start);
    const to = Math.min(range.to, start + extent.sizeBytes);
    if (from < to) {
      const slice = { from: extent.offset + from - start, to: extent.offset + to - start };
      const { blob, seal } = extent;
      yield* seal === undefined
        ? readClear(blobs, extent, slice)
        : readSealed(blobs, { blob, seal, slice, lock: range.lock });
    }
    start += extent.sizeBytes;
    if (start >= range.to) return;
  }
}

function readClear(blobs: BlobStore, extent: Extent, slice: ByteRange): AsyncIterable<Uint8Array> {
  const whole = slice.to - slice.from === extent.sizeBytes;
  if (!whole || extent.crc32 === undefined) return blobs.readChecked(extent.blob, slice);
  return verified(blobs.read(extent.blob, slice), extent);
}

interface SealedRead {
  readonly blob: BlobId;
  readonly seal: Seal;
  readonly slice: ByteRange;
  readonly lock: Lock | undefined;
}

function readSealed(
  blobs: BlobStore,
  { blob, seal, slice, lock }: SealedRead,
): AsyncIterable<Uint8Array> {
  assert(lock !== undefined, "what is sealed is read with its lock");
  return openRange((range) => blobs.read(blob, range), contentKeyOf(seal, lock), slice);
}

/** Checks the sum before the last chunk goes out, so that wrong bytes never make a whole answer. */
async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  extent: Extent,
): AsyncIterable<Uint8Array> {
  const crc = hasher("CRC32");
  let left = extent.sizeBytes;
  for await (const chunk of chunks) {
    crc.update(chunk);
    left -= chunk.length;
    if (left === 0 && crc.digest().readUInt32BE(0) !== extent.crc32) throw corrupt(extent.blob);
    yield chunk;
  }
}

function corrupt(blob: BlobId): StorageError {
  return new StorageError("corrupt", `blob ${blob} is not what was written: its CRC32 differs`);
}
