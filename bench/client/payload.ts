import { createCipheriv } from "node:crypto";

const payloads = new Map<number, Buffer>();

/** Bytes that do not compress and are the same in every process. Kept: sizes are few. */
export function payload(sizeBytes: number): Buffer {
  const known = payloads.get(sizeBytes);
  if (known !== undefined) return known;
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16, 2));
  const bytes = cipher.update(Buffer.alloc(sizeBytes));
  payloads.set(sizeBytes, bytes);
  return bytes;
}
