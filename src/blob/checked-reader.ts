import type { FileHandle } from "node:fs/promises";
import { StorageError } from "#base/error.ts";
import { BLOCK_BYTES, blocksOf, isAsWritten } from "#blob/block-sums.ts";
import { readRange } from "#blob/file-reader.ts";
import type { ByteRange } from "#blob/store.ts";

/**
 * The bytes `from <= i < to` of an open file that has sums behind its blob of `blobBytes`, none of them before its
 * whole block has proved to be what was written. Chunks are valid as those of readRange.
 * Fails: StorageError "corrupt", "unavailable".
 */
export async function* readBlocks(
  file: FileHandle,
  blobBytes: number,
  { from, to }: ByteRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (from === to) return;
  const { bytes, sums } = blocksOf({ from, to }, blobBytes);
  const reading = readSums(file, sums);
  reading.catch(() => {}); // Told when they are waited for.
  try {
    let at = bytes.from;
    for await (const blocks of readRange(file, bytes, { unitBytes: BLOCK_BYTES })) {
      if (!isAsWritten(blocks, await reading, (at - bytes.from) / BLOCK_BYTES))
        throw notAsWritten(at);
      yield blocks.subarray(Math.max(0, from - at), Math.min(blocks.length, to - at));
      at += blocks.length;
    }
  } finally {
    // The file is closed next.
    await Promise.allSettled([reading]);
  }
}

async function readSums(file: FileHandle, range: ByteRange): Promise<Buffer> {
  const sums = Buffer.allocUnsafe(range.to - range.from);
  let at = 0;
  for await (const chunk of readRange(file, range)) {
    sums.set(chunk, at);
    at += chunk.length;
  }
  return sums;
}

function notAsWritten(at: number): StorageError {
  const message = `a blob is not what was written: the CRC32 of a block behind byte ${at} differs`;
  return new StorageError("corrupt", message);
}
