import { asBuffer } from "#base/bytes.ts";
import type { Add, Bound, Change, Guard, Write } from "#meta/store.ts";

/** In place of a length or an offset that is not there. */
const NONE = 0xffff_ffff;
const U8 = 1;
const U16 = 2;
const U32 = 4;
const F64 = 8;

/**
 * A change as bytes, for another process of the same release: its layout is no format that lasts.
 *
 *   u32 guards (key, f64 revision) · u32 writes (key, u32 length, value and tail, u32 stampKeyAt, u32 stampValueAt)
 *   · u32 adds (key, u8 amounts, f64 each, u8 bounds or 255, for each f64 max, u8 indexes, u8 each)
 *
 * A key is u16 length and its bytes. All numbers are little-endian.
 */
export function changeBytes({ guards, writes, adds = [] }: Change): number {
  let bytes = 3 * U32;
  for (const { key } of guards) bytes += U16 + key.length + F64;
  for (const { key, value, tail } of writes) {
    bytes += U16 + key.length + 3 * U32;
    if (value !== undefined) bytes += value.length + (tail?.length ?? 0);
  }
  for (const { key, amounts, bounds = [] } of adds) {
    bytes += U16 + key.length + U8 + amounts.length * F64 + U8;
    for (const { indexes } of bounds) bytes += F64 + U8 + indexes.length;
  }
  return bytes;
}

/** Writes a change at `at`, and returns where it ends. */
export function writeChange(into: Buffer, at: number, change: Change): number {
  const writer = new Writer(into, at);
  writer.u32(change.guards.length);
  for (const { key, revision } of change.guards) {
    writer.key(key);
    writer.f64(revision);
  }
  writer.u32(change.writes.length);
  for (const write of change.writes) writeWrite(writer, write);
  const { adds = [] } = change;
  writer.u32(adds.length);
  for (const add of adds) writeAdd(writer, add);
  return writer.at;
}

/** Values and keys of what is returned are views of `from`. */
export function readChange(from: Buffer, at: number): Change {
  const reader = new Reader(from, at);
  const guards = many(reader.u32(), (): Guard => ({ key: reader.key(), revision: reader.f64() }));
  const writes = many(reader.u32(), () => readWrite(reader));
  const adds = many(reader.u32(), () => readAdd(reader));
  return { guards, writes, adds };
}

function writeWrite(writer: Writer, { key, value, tail, stampKeyAt, stampValueAt }: Write): void {
  writer.key(key);
  if (value === undefined) {
    writer.u32(NONE);
  } else {
    writer.u32(value.length + (tail?.length ?? 0));
    writer.bytes(value);
    if (tail !== undefined) writer.bytes(tail);
  }
  writer.u32(stampKeyAt ?? NONE);
  writer.u32(stampValueAt ?? NONE);
}

function readWrite(reader: Reader): Write {
  const key = reader.key();
  const length = reader.u32();
  const value = length === NONE ? undefined : reader.bytes(length);
  const [stampKeyAt, stampValueAt] = [reader.u32(), reader.u32()];
  return {
    ...{ key, value },
    ...(stampKeyAt === NONE ? {} : { stampKeyAt }),
    ...(stampValueAt === NONE ? {} : { stampValueAt }),
  };
}

function writeAdd(writer: Writer, { key, amounts, bounds }: Add): void {
  writer.key(key);
  writer.u8(amounts.length);
  for (const amount of amounts) writer.f64(amount);
  writer.u8(bounds?.length ?? 255);
  for (const { max, indexes } of bounds ?? []) {
    writer.f64(max);
    writer.u8(indexes.length);
    for (const index of indexes) writer.u8(index);
  }
}

function readAdd(reader: Reader): Add {
  const key = reader.key();
  const amounts = many(reader.u8(), () => reader.f64());
  const count = reader.u8();
  if (count === 255) return { key, amounts };
  const bounds = many(count, (): Bound => {
    const max = reader.f64();
    return { max, indexes: many(reader.u8(), () => reader.u8()) };
  });
  return { key, amounts, bounds };
}

function many<T>(count: number, read: () => T): T[] {
  return Array.from({ length: count }, read);
}

class Writer {
  readonly #into: Buffer;
  at: number;

  constructor(into: Buffer, at: number) {
    this.#into = into;
    this.at = at;
  }

  u8(value: number): void {
    this.at = this.#into.writeUInt8(value, this.at);
  }

  u32(value: number): void {
    this.at = this.#into.writeUInt32LE(value, this.at);
  }

  f64(value: number): void {
    this.at = this.#into.writeDoubleLE(value, this.at);
  }

  key(key: Uint8Array): void {
    this.at = this.#into.writeUInt16LE(key.length, this.at);
    this.bytes(key);
  }

  bytes(bytes: Uint8Array): void {
    this.#into.set(bytes, this.at);
    this.at += bytes.length;
  }
}

class Reader {
  readonly #from: Buffer;
  #at: number;

  constructor(from: Buffer, at: number) {
    this.#from = from;
    this.#at = at;
  }

  u8(): number {
    const value = this.#from.readUInt8(this.#at);
    this.#at += U8;
    return value;
  }

  u32(): number {
    const value = this.#from.readUInt32LE(this.#at);
    this.#at += U32;
    return value;
  }

  f64(): number {
    const value = this.#from.readDoubleLE(this.#at);
    this.#at += F64;
    return value;
  }

  key(): Buffer {
    const length = this.#from.readUInt16LE(this.#at);
    this.#at += U16;
    return this.bytes(length);
  }

  bytes(length: number): Buffer {
    const bytes = asBuffer(this.#from.subarray(this.#at, this.#at + length));
    if (bytes.length < length) throw new RangeError("a change ends before its bytes do");
    this.#at += length;
    return bytes;
  }
}
