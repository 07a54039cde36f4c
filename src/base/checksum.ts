import { createHash, hash } from "node:crypto";
import { crc32, crc32c } from "@node-rs/crc32";
import { assert } from "#base/assert.ts";
import { Crc64 } from "#base/digest/crc64.ts";

/**
 * The checksums that a client may send with an object or ask for. Digests are big-endian bytes, the
 * ones that S3 puts into base64.
 *
 * Differs: AWS also knows MD5, SHA512, XXHASH3, XXHASH64 and XXHASH128 as checksums; here each is refused by its
 * name, as header, trailer and element.
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";

/** Those of which the value of a whole follows from the values of its parts. */
export type CrcAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME";

export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = [
  "CRC32",
  "CRC32C",
  "CRC64NVME",
  "SHA1",
  "SHA256",
];

const DIGEST_BYTES = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32, MD5: 16 };

/** A digest that grows chunk by chunk. One that is never asked for its digest costs nothing. */
export interface Hasher {
  /** Keeps no reference to `chunk`. */
  update(chunk: Uint8Array): void;
  /** Ends the hasher. */
  digest(): Buffer;
}

/** The length in bytes of a digest: 4 for CRC32 and CRC32C, 8, 20 for SHA1, 32 for SHA256. */
export function digestBytes(algorithm: ChecksumAlgorithm | "MD5"): number {
  return DIGEST_BYTES[algorithm];
}

/**
 * A new hasher; any number may run side by side, their updates in any order. Where many MD5s grow at the same time,
 * Md5 takes less.
 */
export function hasher(algorithm: ChecksumAlgorithm | "MD5"): Hasher {
  switch (algorithm) {
    case "CRC32":
      return new Crc32Hasher(crc32);
    case "CRC32C":
      return new Crc32Hasher(crc32c);
    case "CRC64NVME":
      return new Crc64();
    case "SHA1":
    case "SHA256":
    case "MD5":
      return createHash(algorithm);
  }
}

/** The digest of bytes that are all here: one call, no hasher made. */
export function digestOf(algorithm: ChecksumAlgorithm | "MD5", bytes: Uint8Array): Buffer {
  switch (algorithm) {
    case "CRC32":
      return word(crc32(bytes));
    case "CRC32C":
      return word(crc32c(bytes));
    case "CRC64NVME":
      return crc64Of(bytes);
    case "SHA1":
    case "SHA256":
    case "MD5":
      return hash(algorithm, bytes, "buffer");
  }
}

/** The CRC32 of bytes that are all here, as a number; of those behind others, whose CRC32 is `before`. */
export function crc32Of(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

function crc64Of(bytes: Uint8Array): Buffer {
  const sum = new Crc64();
  sum.update(bytes);
  return sum.digest();
}

class Crc32Hasher implements Hasher {
  readonly #step: (chunk: Uint8Array, crc: number) => number;
  #crc = 0;

  constructor(step: (chunk: Uint8Array, crc: number) => number) {
    this.#step = step;
  }

  update(chunk: Uint8Array): void {
    this.#crc = this.#step(chunk, this.#crc);
  }

  digest(): Buffer {
    return word(this.#crc);
  }
}

/** A CRC value, or a polynomial over GF(2): the highest bit of `width` is the power 0. */
interface Bits {
  readonly high: number;
  readonly low: number;
}

interface Field {
  readonly width: 32 | 64;
  readonly polynomial: Bits;
  /** x^0 */
  readonly one: Bits;
  /** x^(2^k) at k, grown when asked for. */
  readonly powers: Bits[];
  /** What the last combination multiplied by: parts of an upload have one size. */
  last: { readonly sizeBytes: number; readonly factor: Bits };
}

const FIELDS: Readonly<Record<CrcAlgorithm, Field>> = {
  CRC32: field(32, { high: 0, low: 0xedb88320 }),
  CRC32C: field(32, { high: 0, low: 0x82f63b78 }),
  CRC64NVME: field(64, { high: 0x9a6c9329, low: 0xac4bc9b5 }),
};

/** The digests of two byte strings, and the length of the second. */
export interface CrcPair {
  readonly first: Buffer;
  readonly second: Buffer;
  readonly secondSizeBytes: number;
}

/**
 * The CRC of two byte strings one after the other, from the CRC of each; only the length of the
 * second matters, and it may be up to 2^50 bytes.
 *
 * To append n bytes is to multiply the first value by x^(8n) modulo the polynomial. The inversions
 * at the start and end of each value cancel out.
 * Spec: https://github.com/madler/zlib/blob/v1.3.1/crc32.c (crc32_combine)
 */
export function combineCrc(
  algorithm: CrcAlgorithm,
  { first, second, secondSizeBytes }: CrcPair,
): Buffer {
  assert(secondSizeBytes >= 0 && secondSizeBytes <= 2 ** 50, "a size is from 0 to 2^50 bytes");
  const field = FIELDS[algorithm];
  if (field.last.sizeBytes !== secondSizeBytes) {
    field.last = { sizeBytes: secondSizeBytes, factor: byteShift(field, secondSizeBytes) };
  }
  const { high, low } = multiply(field, read(field, first), field.last.factor);
  const end = read(field, second);
  return write(field, { high: high ^ end.high, low: low ^ end.low });
}

function field(width: 32 | 64, polynomial: Bits): Field {
  const place = (top: number) => (width === 64 ? { high: top, low: 0 } : { high: 0, low: top });
  const one = place(0x80000000);
  const x = place(0x40000000);
  return { width, polynomial, one, powers: [x], last: { sizeBytes: 0, factor: one } };
}

/** x^(8 * sizeBytes). */
function byteShift(field: Field, sizeBytes: number): Bits {
  let product = field.one;
  for (let k = 3, rest = sizeBytes; rest > 0; k += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) product = multiply(field, product, powerOf(field, k));
  }
  return product;
}

function powerOf(field: Field, k: number): Bits {
  for (let last = field.powers.at(-1); field.powers.length <= k; last = field.powers.at(-1)) {
    assert(last !== undefined, "the power at 0 is always there");
    field.powers.push(multiply(field, last, last));
  }
  const power = field.powers[k];
  assert(power !== undefined, "the powers reach k");
  return power;
}

/** a * b modulo the polynomial: one step for each bit of `a`, the power 0 first. */
function multiply({ width, polynomial }: Field, a: Bits, b: Bits): Bits {
  let [high, low, shiftHigh, shiftLow] = [0, 0, b.high, b.low];
  for (let bit = width - 1; bit >= 0; bit -= 1) {
    // Masks in place of branches: the bits are random, so a branch would be guessed half the time.
    const taken = -(((bit >= 32 ? a.high : a.low) >>> (bit & 31)) & 1);
    high ^= shiftHigh & taken;
    low ^= shiftLow & taken;
    const wrapped = -(shiftLow & 1);
    shiftLow = ((shiftLow >>> 1) | (shiftHigh << 31)) ^ (polynomial.low & wrapped);
    shiftHigh = (shiftHigh >>> 1) ^ (polynomial.high & wrapped);
  }
  return { high, low };
}

function read({ width }: Field, digest: Buffer): Bits {
  assert(digest.length * 8 === width, "a digest has the length of its algorithm");
  if (width === 32) return { high: 0, low: digest.readUInt32BE(0) };
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}

function write({ width }: Field, { high, low }: Bits): Buffer {
  const digest = Buffer.allocUnsafe(width / 8);
  if (width === 64) digest.writeUInt32BE(high >>> 0, 0);
  digest.writeUInt32BE(low >>> 0, digest.length - 4);
  return digest;
}

/** A 32-bit digest. */
function word(crc: number): Buffer {
  const digest = Buffer.allocUnsafe(4);
  digest.writeUInt32BE(crc);
  return digest;
}
