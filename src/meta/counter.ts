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

/** Whether a counter keeps to its bounds. */
export function isWithin(amounts: readonly number[], bounds: readonly Bound[] = []): boolean {
  return bounds.every(
    ({ indexes, max }) => indexes.reduce((sum, index) => sum + (amounts[index] ?? 0), 0) <= max,
  );
}
