/** Before each stored value stand the eight bytes of its revision. */
export const REVISION_BYTES = 8;
const SMALL_BYTES = 1_024;

export function revisionBytes(revision: number): Buffer {
  const bytes = Buffer.allocUnsafe(REVISION_BYTES);
  writeRevision(bytes, revision);
  return bytes;
}

export function writeRevision(into: Buffer, revision: number): void {
  into.writeUInt32BE(Math.floor(revision / 2 ** 32), 0);
  into.writeUInt32BE(revision % 2 ** 32, 4);
}

export function readRevision(stored: Buffer): number {
  return stored.readUInt32BE(0) * 2 ** 32 + stored.readUInt32BE(4);
}

/** Small values are copied: a view of one would make V8 move it out of its heap, at five times the cost. */
export function withoutRevision(stored: Buffer): Buffer {
  if (stored.length > SMALL_BYTES) return stored.subarray(REVISION_BYTES);
  const value = Buffer.allocUnsafe(stored.length - REVISION_BYTES);
  stored.copy(value, 0, REVISION_BYTES);
  return value;
}
