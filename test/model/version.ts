import { createHash } from "node:crypto";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Attributes, Checksum, ChecksumType } from "#object/attributes.ts";
import type { Shown } from "#test/model/call.ts";
import { OneOf } from "#test/model/one-of.ts";

/** One version of an object, or a delete marker. */
export interface Version {
  /** As the engine named it; "null" for the null version. */
  readonly id: string;
  readonly isMarker: boolean;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly attributes: Attributes;
  readonly checksum: Checksum | undefined;
  /** undefined: put whole. */
  readonly parts: readonly Part[] | undefined;
  /** The upload that it is. */
  readonly uploadId: string | undefined;
}

export interface Part {
  readonly number: number;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  /** Copied, perhaps without being read: a store need not know a checksum that nobody asked for. */
  readonly isCopied: boolean;
}

export const NO_ATTRIBUTES: Attributes = {
  headers: {},
  userMetadata: {},
  tags: [],
  storageClass: "STANDARD",
};

export function marker(id: string, modifiedMs: number): Version {
  return {
    ...{ id, isMarker: true, bytes: Buffer.alloc(0), etag: "", modifiedMs },
    ...{ attributes: NO_ATTRIBUTES, checksum: undefined, parts: undefined, uploadId: undefined },
  };
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** Of bytes that are sent or read as one. */
export function fullChecksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Checksum {
  return { algorithm, type: "FULL_OBJECT", value: digest(algorithm, bytes).toString("base64") };
}

/** A checksum of the parts' checksums. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly Part[]): Checksum {
  const digests = parts.map(({ checksums }) => Buffer.from(checksums[algorithm] ?? "", "base64"));
  const whole = digest(algorithm, Buffer.concat(digests)).toString("base64");
  return { algorithm, type: "COMPOSITE", value: `${whole}-${parts.length}` };
}

export function defaultType(algorithm: ChecksumAlgorithm): ChecksumType {
  return algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
}

/** What a client sees of a version that is no marker. */
export function infoOf(key: string, version: Version, versionId: string | undefined): Shown {
  const { bytes, etag, modifiedMs, attributes, checksum, parts } = version;
  const partsCount = parts?.length;
  return {
    ...{ key, sizeBytes: bytes.length, etag, modifiedMs, versionId },
    ...{ attributes, checksum, partsCount },
  };
}

export function partOf(part: Part, algorithm: ChecksumAlgorithm | undefined): Shown {
  const { number, bytes, etag, modifiedMs } = part;
  const checksum = partChecksum(part, algorithm);
  return { number, sizeBytes: bytes.length, etag, modifiedMs, checksum };
}

function partChecksum({ checksums, isCopied, bytes }: Part, algorithm?: ChecksumAlgorithm) {
  if (algorithm === undefined) return undefined;
  const value = checksums[algorithm];
  if (value !== undefined) return { algorithm, value };
  if (!isCopied) return undefined;
  return new OneOf([undefined, { algorithm, value: fullChecksum(algorithm, bytes).value }]);
}

/** Reflected polynomials. The model's own, bit by bit, so that no table of the product is trusted. */
const CRCS = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
};

const known = new Map<string, Buffer>();

/** Histories have the same few bytes again and again. */
function digest(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Buffer {
  const name = `${algorithm} ${Buffer.from(bytes).toString("latin1")}`;
  const found = known.get(name) ?? computed(algorithm, bytes);
  known.set(name, found);
  return found;
}

function computed(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Buffer {
  if (algorithm === "SHA1" || algorithm === "SHA256") {
    return createHash(algorithm).update(bytes).digest();
  }
  const { bits, polynomial } = CRCS[algorithm];
  const ones = (1n << bits) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return Buffer.from((crc ^ ones).toString(16).padStart(Number(bits) / 4, "0"), "hex");
}
