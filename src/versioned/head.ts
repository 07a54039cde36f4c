import { asBuffer } from "#base/bytes.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import { readStamp, STAMP_BYTES, writeStamp } from "#base/stamp.ts";
import type { PackedBytes } from "#meta/packed.ts";
import { type ChecksumType, STORAGE_CLASSES, type StorageClass } from "#object/attributes.ts";
import type { ListedObject } from "#object/engine.ts";

/**
 * The current version of a key: all that a list shows, in 56 bytes, so that a page of a list decodes
 * nothing else; and the lock of the key, since every change of any of its versions writes it.
 */
export interface Head {
  /** Sequence of the commit that made the current version. */
  readonly sequence: number;
  readonly deleteMarker: boolean;
  /** The current version is the null version. */
  readonly isNull: boolean;
  /** Sequence of the null version when another one is current. */
  readonly nullSequence: number | undefined;
  /** The bytes stand in the version's record: no blob is involved. */
  readonly inline: boolean;
  readonly sizeBytes: number;
  /** 32 hexadecimal digits; with partsCount it makes the ETag. */
  readonly md5: string;
  /** 0 when it was put whole. */
  readonly partsCount: number;
  readonly modifiedMs: number;
  readonly storageClass: StorageClass;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/** Written now. In format 1 the byte of the check was zero. */
const FORMAT = 2;
const BYTES = 56;
const CHECK_AT = 5;
/** Where the commit writes the current version's stamp. */
export const HEAD_STAMP_AT = 8;
const NULL_STAMP_AT = HEAD_STAMP_AT + STAMP_BYTES;
const MODIFIED_AT = 24;
const SIZE_AT = 32;
const MD5_AT = 40;
const CHECK_WEIGHTS = checkWeights();

const DELETE_MARKER = 1;
const IS_NULL = 2;
const INLINE = 4;
const HAS_OLDER_NULL = 8;

const ALGORITHMS = [undefined, "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
const TYPES = [undefined, "FULL_OBJECT", "COMPOSITE"] as const;

export function packHead(head: Head): Buffer {
  const bytes = Buffer.alloc(BYTES);
  bytes[0] = FORMAT;
  bytes[1] =
    (head.deleteMarker ? DELETE_MARKER : 0) |
    (head.isNull ? IS_NULL : 0) |
    (head.inline ? INLINE : 0) |
    (head.nullSequence === undefined ? 0 : HAS_OLDER_NULL);
  bytes[2] = STORAGE_CLASSES.indexOf(head.storageClass);
  bytes[3] = ALGORITHMS.indexOf(head.checksumAlgorithm);
  bytes[4] = TYPES.indexOf(head.checksumType);
  bytes.writeUInt16BE(head.partsCount, 6);
  if (head.sequence !== 0) writeStamp(bytes, HEAD_STAMP_AT, head.sequence);
  if (head.nullSequence !== undefined) writeStamp(bytes, NULL_STAMP_AT, head.nullSequence);
  bytes.writeDoubleBE(head.modifiedMs, MODIFIED_AT);
  bytes.writeDoubleBE(head.sizeBytes, SIZE_AT);
  bytes.write(head.md5, MD5_AT, 16, "hex");
  bytes[CHECK_AT] = checkOf(bytes, 0);
  return bytes;
}

/** Fails: StorageError "corrupt". */
export function unpackHead(value: Uint8Array): Head {
  const bytes = asBuffer(value);
  if (bytes.length !== BYTES) throw corrupt();
  requireWhole(bytes, 0);
  const flags = bytes[1] ?? 0;
  return {
    sequence: readStamp(bytes, HEAD_STAMP_AT),
    deleteMarker: (flags & DELETE_MARKER) !== 0,
    isNull: (flags & IS_NULL) !== 0,
    inline: (flags & INLINE) !== 0,
    nullSequence: (flags & HAS_OLDER_NULL) === 0 ? undefined : readStamp(bytes, NULL_STAMP_AT),
    storageClass: STORAGE_CLASSES[bytes[2] ?? 0] ?? "STANDARD",
    checksumAlgorithm: ALGORITHMS[bytes[3] ?? 0],
    checksumType: TYPES[bytes[4] ?? 0],
    partsCount: bytes.readUInt16BE(6),
    modifiedMs: bytes.readDoubleBE(MODIFIED_AT),
    sizeBytes: bytes.readDoubleBE(SIZE_AT),
    md5: bytes.toString("hex", MD5_AT, BYTES),
  };
}

/** What lists show of a head. */
export interface ShownHead {
  readonly object: ListedObject;
  readonly isNull: boolean;
  readonly deleteMarker: boolean;
}

/** Of heads that stand one behind the other; whether it is whole nobody looks. */
export function isMarkerAt(heads: PackedBytes, index: number): boolean {
  return ((heads.byteAt(index * BYTES + 1) ?? 0) & DELETE_MARKER) !== 0;
}

/** Many heads, of which only what a list shows is made. */
export class HeadsRead {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** Of all bytes at once: each MD5 is a slice of it. */
  #hex: string | undefined;

  /** Fails: StorageError "corrupt". */
  constructor(values: PackedBytes) {
    for (let index = 0; index < values.count; index += 1) {
      if (values.endOf(index) !== (index + 1) * BYTES) throw corrupt();
    }
    const bytes = values.bytes;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  sequenceOf(index: number): number {
    return readStamp(this.#bytes, index * BYTES + HEAD_STAMP_AT);
  }

  /** Fails: StorageError "corrupt". */
  isMarker(index: number): boolean {
    requireWhole(this.#bytes, index * BYTES);
    return (this.#flags(index) & DELETE_MARKER) !== 0;
  }

  /** undefined for a delete marker. Fails: StorageError "corrupt". */
  listed(index: number, key: string): ListedObject | undefined {
    return this.isMarker(index) ? undefined : this.#object(index, key);
  }

  /** Fails: StorageError "corrupt". */
  shown(index: number, key: string): ShownHead {
    requireWhole(this.#bytes, index * BYTES);
    const flags = this.#flags(index);
    const [isNull, deleteMarker] = [(flags & IS_NULL) !== 0, (flags & DELETE_MARKER) !== 0];
    return { object: this.#object(index, key), isNull, deleteMarker };
  }

  #flags(index: number): number {
    return this.#bytes[index * BYTES + 1] ?? 0;
  }

  #object(index: number, key: string): ListedObject {
    const bytes = this.#bytes;
    const at = index * BYTES;
    this.#hex ??= bytes.toString("hex");
    const md5 = this.#hex.slice(2 * (at + MD5_AT), 2 * (at + BYTES));
    return {
      key,
      sizeBytes: this.#view.getFloat64(at + SIZE_AT),
      etag: etagOf({ md5, partsCount: this.#view.getUint16(at + 6) }),
      modifiedMs: this.#view.getFloat64(at + MODIFIED_AT),
      storageClass: STORAGE_CLASSES[bytes[at + 2] ?? 0] ?? "STANDARD",
      checksumAlgorithm: ALGORITHMS[bytes[at + 3] ?? 0],
      checksumType: TYPES[bytes[at + 4] ?? 0],
    };
  }
}

/** The head that begins at `at`. Fails: StorageError "corrupt". */
function requireWhole(bytes: Buffer, at: number): void {
  const check = bytes[at] === 1 ? 0 : checkOf(bytes, at);
  const isKnown = bytes[at] === FORMAT || bytes[at] === 1;
  if (!isKnown || bytes[at + CHECK_AT] !== check) throw corrupt();
}

function corrupt(): StorageError {
  return new StorageError("corrupt", "a head is not what was written, or of a later release");
}

/** Tells when any one byte is another, but of the stamp, which the commit writes. */
function checkOf(bytes: Buffer, at: number): number {
  let check = 0;
  for (let index = 0; index < BYTES; index += 1) {
    check += (bytes[at + index] ?? 0) * (CHECK_WEIGHTS[index] ?? 0);
  }
  return check & 0xff;
}

/** Powers of 31, the last counted byte's the lowest; the check itself and the stamp do not count. */
function checkWeights(): Uint8Array {
  const weights = new Uint8Array(BYTES);
  let weight = 1;
  for (let at = BYTES - 1; at >= 0; at -= 1) {
    if (at === CHECK_AT || (at >= HEAD_STAMP_AT && at < NULL_STAMP_AT)) continue;
    weights[at] = weight;
    weight = (weight * 31) & 0xff;
  }
  return weights;
}

export function listedOf(key: string, head: Head): ListedObject {
  const { sizeBytes, modifiedMs, storageClass, checksumAlgorithm, checksumType } = head;
  const etag = etagOf(head);
  return { key, sizeBytes, etag, modifiedMs, storageClass, checksumAlgorithm, checksumType };
}

export function etagOf({ md5, partsCount }: Pick<Head, "md5" | "partsCount">): string {
  return partsCount === 0 ? md5 : `${md5}-${partsCount}`;
}
