import { asBuffer } from "#base/bytes.ts";
import type { Bound } from "#meta/store.ts";

/** A counter entry's value: its amounts as little-endian doubles, exact to 2^53. */
export function packCounter(amounts: readonly number[]): Buffer {
  const value = Buffer.allocUnsafe(amounts.length * 8);
  for (const [index, amount] of amounts.entries()) value.writeDoubleLE(amount, index * 8);
  return value;
}

export function unpackCounter(value: Uint8Array): number[] {
  const bytes = asBuffer(value);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(index * 8));
}

export function addToCounter(
  value: Uint8Array | undefined,
  amounts: readonly number[],
): readonly number[] {
  const sum = value === undefined ? [] : unpackCounter(value);
  for (const [index, amount] of amounts.entries()) sum[index] = (sum[index] ?? 0) + amount;
  return sum;
}

/**
 * The same for a value that stands behind `at` bytes of something else and may be overwritten: in place,
 * unless it has too few amounts. Each request of a bucket comes past here, one at a time.
 */
export function addInPlace(stored: Buffer, at: number, amounts: readonly number[]): Buffer {
  const bytes = at + amounts.length * 8;
  const into = stored.length >= bytes ? stored : Buffer.concat([stored], bytes);
  for (let index = 0; index < amounts.length; index += 1) {
    const amount = amounts[index] ?? 0;
    if (amount === 0) continue;
    const place = at + index * 8;
    into.writeDoubleLE(into.readDoubleLE(place) + amount, place);
  }
  return into;
}

/** Whether a counter keeps to its bounds. */
export function isWithin(amounts: readonly number[], bounds: readonly Bound[] = []): boolean {
  return bounds.every(
    ({ indexes, max }) => indexes.reduce((sum, index) => sum + (amounts[index] ?? 0), 0) <= max,
  );
}
