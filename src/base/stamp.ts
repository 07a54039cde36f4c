import { assert } from "#base/assert.ts";

/**
 * A commit's sequence as eight bytes that sort newest first, for keys. Sequences stay below 2^53.
 */
export const STAMP_BYTES = 8;
const NEWEST = 2 ** 53 - 1;

export function writeStamp(into: Buffer, at: number, sequence: number): void {
  assert(sequence > 0 && sequence < NEWEST, "a sequence is a positive safe integer");
  const descending = NEWEST - sequence;
  into.writeUInt32BE(Math.floor(descending / 2 ** 32), at);
  into.writeUInt32BE(descending % 2 ** 32, at + 4);
}

export function readStamp(from: Buffer, at: number): number {
  return NEWEST - (from.readUInt32BE(at) * 2 ** 32 + from.readUInt32BE(at + 4));
}
