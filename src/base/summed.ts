import { crc32Of } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";

/** A stored record is a format number, the CRC32 of all that follows it, and its body. */
export const BODY_AT = 5;
const CRC_AT = 1;
const NOTHING = new Uint8Array(0);

/** Of bytes whose body stands at BODY_AT, and goes on in `tail`. */
export function addSum(bytes: Buffer, format: number, tail: Uint8Array = NOTHING): Buffer {
  bytes[0] = format;
  bytes.writeUInt32BE(crc32Of(tail, crc32Of(bytes.subarray(BODY_AT))), CRC_AT);
  return bytes;
}

/** Fails: StorageError "corrupt". */
export function summedBody(bytes: Buffer, formats: readonly number[]): Buffer {
  if (!isSummed(bytes, formats)) throw corruptRecord();
  return bytes.subarray(BODY_AT);
}

/** The sum does not cover the number: two formats of one body must be told apart by what is in it. */
export function isSummed(bytes: Buffer, formats: readonly number[]): boolean {
  const isWhole =
    bytes.length >= BODY_AT && bytes.readUInt32BE(CRC_AT) === crc32Of(bytes.subarray(BODY_AT));
  return isWhole && formats.includes(bytes[0] ?? 0);
}

export function corruptRecord(cause?: unknown): StorageError {
  const message = "a record is not what was written, or of a later release";
  return new StorageError("corrupt", message, cause);
}
