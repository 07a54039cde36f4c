import { randomBytes as nodeRandomBytes, randomInt } from "node:crypto";

/** The only place that draws randomness. */
export function randomBytes(count: number): Buffer {
  return nodeRandomBytes(count);
}

/** A whole number, `0 <= n < below`. */
export function randomBelow(below: number): number {
  return randomInt(below);
}

const POOL_BYTES = 8192;
let pool = Buffer.alloc(0);
let taken = 0;

/** `bytes` random bytes in hex. Drawn from a pool, for a system call an id costs 20 times more. */
export function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) {
    pool = nodeRandomBytes(POOL_BYTES);
    taken = 0;
  }
  const text = pool.toString("hex", taken, taken + bytes);
  taken += bytes;
  return text;
}
