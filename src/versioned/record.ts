import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { BlobId } from "#blob/store.ts";
import type { Attributes, Checksum, ChecksumType, ObjectInfo } from "#object/attributes.ts";
import type { EncryptionRecord, Seal } from "#versioned/encryption.ts";
import { etagOf } from "#versioned/head.ts";

/** A run of bytes of one blob. */
export interface Extent {
  readonly blob: BlobId;
  readonly offset: number;
  readonly sizeBytes: number;
  /** CRC32 of the whole blob as it is stored, when the extent is all of it: a full read checks it. */
  readonly crc32?: number;
  /** The blob is encrypted; offset and size count its bytes in the clear. */
  readonly seal?: Seal | undefined;
}

/** Where the bytes of a version are. */
export type Content =
  | { readonly kind: "inline"; readonly seal?: Seal | undefined }
  /** `id` names the holder of the blobs' references. */
  | { readonly kind: "extents"; readonly id: string; readonly extents: readonly Extent[] }
  /** The extents stand in the manifest of that id. */
  | { readonly kind: "manifest"; readonly id: string };

/** One version of an object: what the metadata store holds besides inline bytes. */
export interface VersionRecord {
  readonly deleteMarker: boolean;
  readonly isNull: boolean;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly partsCount: number;
  readonly modifiedMs: number;
  readonly attributes: Attributes;
  readonly checksum: Checksum | undefined;
  readonly content: Content;
  /** undefined: the bytes stand in the clear. */
  readonly encryption?: EncryptionRecord | undefined;
}

/** A part as the object's reader sees it. */
export interface PartRecord {
  readonly number: number;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly modifiedMs: number;
  /** Base64, by algorithm. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  readonly extents: readonly Extent[];
}

/** Extents and parts of a version that was uploaded in parts. */
export interface Manifest {
  readonly parts: readonly PartRecord[];
}

export interface UploadRecord {
  readonly initiatedMs: number;
  readonly attributes: Attributes;
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
  readonly encryption?: EncryptionRecord | undefined;
}

/** What to throw away once the grace time is over. */
export interface GarbageRecord {
  /** The holder whose references end. */
  readonly contentId: string;
  readonly blobs: readonly BlobId[];
  /** The blobs stand in the manifest, which goes too. */
  readonly manifest?: true;
  /** Part records of this upload go too; "all": with their blobs. */
  readonly parts?: "records" | "all";
  /** Other records that go, by their keys in hex. */
  readonly records?: readonly string[];
  /** Blobs that the holder's parts or manifest name by then are kept. */
  readonly unlessHeld?: true;
}

/** A rename that a client token named. */
export interface RenameRecord {
  /** SHA-256 of its parameters, in hex. */
  readonly fingerprint: string;
  readonly etag: string;
}

/** The last time that a counter was put right. */
interface RepairRecord {
  readonly repairedMs: number;
}

/** Garbage waits until then, unless it is renewed or taken back. */
export interface HoldRecord {
  readonly untilMs: number;
}

type JsonRecord =
  | HoldRecord
  | UploadRecord
  | PartRecord
  | Manifest
  | GarbageRecord
  | RenameRecord
  | RepairRecord;

const FORMAT = 1;
const PREAMBLE_BYTES = 5;

/** A format number, the length of the JSON, the JSON, the inline bytes. */
export function packVersion(record: VersionRecord, inline: Uint8Array | undefined): Buffer {
  const json = JSON.stringify(record);
  const jsonBytes = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(PREAMBLE_BYTES + jsonBytes + (inline?.length ?? 0));
  bytes[0] = FORMAT;
  bytes.writeUInt32BE(jsonBytes, 1);
  bytes.write(json, PREAMBLE_BYTES, "utf8");
  if (inline !== undefined) bytes.set(inline, PREAMBLE_BYTES + jsonBytes);
  return bytes;
}

export function unpackVersion(value: Uint8Array): {
  readonly record: VersionRecord;
  readonly inline: Uint8Array;
} {
  const bytes = asBuffer(value);
  assert(bytes[0] === FORMAT, "a version has the format this release writes");
  const end = PREAMBLE_BYTES + bytes.readUInt32BE(1);
  const record = JSON.parse(bytes.toString("utf8", PREAMBLE_BYTES, end)) as VersionRecord;
  return { record, inline: bytes.subarray(end) };
}

/** Upload, part, manifest and garbage records: JSON behind a format number. */
export function packJson<T extends JsonRecord>(record: T): Buffer {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...record }));
}

export function unpackJson<T extends JsonRecord>(value: Uint8Array): T {
  const record = JSON.parse(Buffer.from(value).toString()) as T & { format: number };
  assert(record.format === FORMAT, "a record has the format this release writes");
  return record;
}

/** A version's name for clients. */
export function versionIdOf(sequence: number, isNull: boolean): string {
  return isNull ? "null" : sequence.toString(16).padStart(16, "0");
}

/** undefined for what was never a version id. */
export function sequenceOf(versionId: string): number | undefined {
  return /^000[0-9a-f]{13}$/.test(versionId) ? Number.parseInt(versionId, 16) : undefined;
}

export function infoOf(
  key: string,
  record: VersionRecord,
  versionId: string | undefined,
): ObjectInfo {
  return {
    key,
    sizeBytes: record.sizeBytes,
    etag: etagOf(record),
    modifiedMs: record.modifiedMs,
    versionId,
    attributes: record.attributes,
    checksum: record.checksum,
    partsCount: record.partsCount === 0 ? undefined : record.partsCount,
    encryption: record.encryption?.kind,
  };
}
