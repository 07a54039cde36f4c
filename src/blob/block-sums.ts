import { assert } from "#base/assert.ts";
import { combineCrc, crc32Of } from "#base/checksum.ts";

/**
 * Of so many bytes of a blob, the last perhaps fewer, each has a sum of its own: what is read to check a range is at
 * most two of them more than was asked for, and what is stored is 1/16384.
 */
export const BLOCK_BYTES = 64 * 1024;
const SUM_BYTES = 4;
/** Sums are collected in pieces of so many: those of 64 MiB. */
const PIECE_SUMS = 1_024;

/** The CRC32 of each block of bytes that come in chunks, and of all of them. */
export class BlockSums {
  #blockCrc = 0;
  #blockBytes = 0;
  readonly #pieces: Buffer[] = [];
  #count = 0;
  #wholeCrc = word(0);

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const bytes = Math.min(chunk.length - at, BLOCK_BYTES - this.#blockBytes);
      this.#blockCrc = crc32Of(chunk.subarray(at, at + bytes), this.#blockCrc);
      this.#blockBytes += bytes;
      at += bytes;
      if (this.#blockBytes === BLOCK_BYTES) this.#endBlock();
    }
  }

  /** Ends it. `sums`: those of the blocks, four big-endian bytes each. */
  finish(): { readonly sums: readonly Buffer[]; readonly crc32: number } {
    if (this.#blockBytes > 0) this.#endBlock();
    const inLast = this.#count % PIECE_SUMS;
    const last = inLast === 0 ? undefined : this.#pieces.pop();
    if (last !== undefined) this.#pieces.push(last.subarray(0, inLast * SUM_BYTES));
    return { sums: this.#pieces, crc32: this.#wholeCrc.readUInt32BE(0) };
  }

  #endBlock(): void {
    const at = this.#count % PIECE_SUMS;
    if (at === 0) this.#pieces.push(Buffer.allocUnsafeSlow(PIECE_SUMS * SUM_BYTES));
    const piece = this.#pieces.at(-1);
    assert(piece !== undefined, "there is a piece for each sum");
    piece.writeUInt32BE(this.#blockCrc, at * SUM_BYTES);
    const second = piece.subarray(at * SUM_BYTES, (at + 1) * SUM_BYTES);
    const sizes = { first: this.#wholeCrc, second, secondSizeBytes: this.#blockBytes };
    this.#wholeCrc = this.#count === 0 ? second : combineCrc("CRC32", sizes);
    this.#count += 1;
    this.#blockCrc = 0;
    this.#blockBytes = 0;
  }
}

/** How long a file is whose blob has so many bytes. */
export function fileBytesOf(blobBytes: number): number {
  return blobBytes + SUM_BYTES * Math.ceil(blobBytes / BLOCK_BYTES);
}

/** How long the blob of such a file is; of one that was cut, not more than is left of it. */
export function blobBytesOf(fileBytes: number): number {
  const blocks = Math.floor(fileBytes / (BLOCK_BYTES + SUM_BYTES));
  const rest = fileBytes - blocks * (BLOCK_BYTES + SUM_BYTES);
  return blocks * BLOCK_BYTES + Math.max(0, rest - SUM_BYTES);
}

/** What of a blob and of its file is read to check the bytes `from <= i < to`. */
export function blocksOf(
  { from, to }: { readonly from: number; readonly to: number },
  blobBytes: number,
) {
  const first = Math.floor(from / BLOCK_BYTES);
  const end = Math.ceil(to / BLOCK_BYTES);
  return {
    bytes: { from: first * BLOCK_BYTES, to: Math.min(end * BLOCK_BYTES, blobBytes) },
    sums: { from: blobBytes + first * SUM_BYTES, to: blobBytes + end * SUM_BYTES },
  };
}

/** Whether a run of whole blocks is what was written; the sum of its first is number `index` of `sums`. */
export function isAsWritten(blocks: Uint8Array, sums: Buffer, index: number): boolean {
  for (let at = 0, sum = index; at < blocks.length; at += BLOCK_BYTES, sum += 1) {
    const due = sums.readUInt32BE(sum * SUM_BYTES);
    if (crc32Of(blocks.subarray(at, at + BLOCK_BYTES)) !== due) return false;
  }
  return true;
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(SUM_BYTES);
  bytes.writeUInt32BE(value);
  return bytes;
}
