import { asBuffer } from "#base/bytes.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { StorageError } from "#base/error.ts";
import { readStamp, STAMP_BYTES, writeStamp } from "#base/stamp.ts";
import { type ChecksumType, STORAGE_CLASSES, type StorageClass } from "#object/attributes.ts";

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
  bytes.writeDoubleBE(head.modifiedMs, 24);
  bytes.writeDoubleBE(head.sizeBytes, 32);
  bytes.write(head.md5, 40, 16, "hex");
  bytes[CHECK_AT] = checkOf(bytes);
  return bytes;
}

/** Fails: StorageError "corrupt". */
export function unpackHead(value: Uint8Array): Head {
  const bytes = asBuffer(value);
  const check = bytes[0] === 1 ? 0 : checkOf(bytes);
  const isKnown = (bytes[0] === FORMAT || bytes[0] === 1) && bytes[CHECK_AT] === check;
  if (bytes.length !== BYTES || !isKnown) {
    throw new StorageError("corrupt", "a head is not what was written, or of a later release");
  }
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
    modifiedMs: bytes.readDoubleBE(24),
    sizeBytes: bytes.readDoubleBE(32),
    md5: bytes.toString("hex", 40, 56),
  };
}

/** Tells when any one byte is another, but of the stamp, which the commit writes. */
function checkOf(bytes: Buffer): number {
  let check = 0;
  for (let at = 0; at < CHECK_AT; at += 1) check = (check * 31 + (bytes[at] ?? 0)) & 0xff;
  for (let at = CHECK_AT + 1; at < HEAD_STAMP_AT; at += 1) {
    check = (check * 31 + (bytes[at] ?? 0)) & 0xff;
  }
  for (let at = NULL_STAMP_AT; at < BYTES; at += 1) check = (check * 31 + (bytes[at] ?? 0)) & 0xff;
  return check;
}

export function etagOf({ md5, partsCount }: Pick<Head, "md5" | "partsCount">): string {
  return partsCount === 0 ? md5 : `${md5}-${partsCount}`;
}
