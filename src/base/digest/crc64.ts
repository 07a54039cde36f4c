import { assert } from "#base/assert.ts";
import { type Crc64Kernel, crc64Kernel, PIECE_BYTES } from "#base/digest/crc64-kernel.ts";

/** Made when it is needed. */
let made: Crc64Kernel | undefined;
const INVERTED = 2n ** 64n - 1n;

/**
 * A CRC64NVME that grows chunk by chunk.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export class Crc64 {
  /** Undefined when ended. */
  #crc: bigint | undefined = INVERTED;

  update(chunk: Uint8Array): void {
    assert(this.#crc !== undefined, "a hasher that gave its digest is not used again");
    made ??= crc64Kernel();
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      const isAll = chunk.length <= PIECE_BYTES;
      const piece = isAll ? chunk : chunk.subarray(from, from + PIECE_BYTES);
      made.bytes.set(piece);
      this.#crc = made.run(this.#crc, piece.length);
    }
  }

  digest(): Buffer {
    assert(this.#crc !== undefined, "a digest is given once");
    const digest = Buffer.allocUnsafe(8);
    digest.writeBigUInt64BE(BigInt.asUintN(64, this.#crc) ^ INVERTED);
    this.#crc = undefined;
    return digest;
  }
}
