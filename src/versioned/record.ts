import { asBuffer } from "#base/bytes.ts";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import { packRecord, parseJson, unpackRecord } from "#base/json-record.ts";
import { addSum, BODY_AT, corruptRecord, isSummed, summedBody } from "#base/summed.ts";
import type { BlobId } from "#blob/store.ts";
import type { Attributes, Checksum, ChecksumType, ObjectInfo } from "#object/attributes.ts";
import { type CompactVersion, compactVersion, expandVersion } from "#versioned/compact-version.ts";
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

/** Of a version: what format 1 had, behind its sum. */
const FORMAT = 2;
/** As format 2, with compact JSON. */
const VERSION_FORMAT = 3;
/** Of a version: the length of its JSON. */
const JSON_AT = BODY_AT + 4;

/** The length of the JSON, the JSON, the inline bytes: these apart, as they are and without a copy. */
export function packVersion(
  record: VersionRecord,
  inline: Uint8Array = NOTHING,
): { readonly value: Buffer; readonly tail: Uint8Array } {
  const json = JSON.stringify(compactVersion(record));
  const jsonBytes = Buffer.byteLength(json);
  const value = Buffer.allocUnsafe(JSON_AT + jsonBytes);
  value.writeUInt32BE(jsonBytes, BODY_AT);
  value.write(json, JSON_AT, "utf8");
  return { value: addSum(value, VERSION_FORMAT, inline), tail: inline };
}

/** Fails: StorageError "corrupt". */
export function unpackVersion(value: Uint8Array): {
  readonly record: VersionRecord;
  readonly inline: Uint8Array;
} {
  const bytes = asBuffer(value);
  const format = bytes[0];
  const body = format === 1 ? bytes.subarray(1) : summedBody(bytes, [FORMAT, VERSION_FORMAT]);
  if (body.length < 4) throw corruptRecord();
  const end = 4 + body.readUInt32BE(0);
  return { record: recordOf(format, body.toString("utf8", 4, end)), inline: body.subarray(end) };
}

/** How many bytes of a stored version stand before its inline bytes; 0 when it is not what was written. */
export function versionStartBytes(value: Uint8Array): number {
  const bytes = asBuffer(value);
  const jsonAt = jsonOfVersion(bytes);
  const isWhole = bytes[0] === 1 || isSummed(bytes, [FORMAT, VERSION_FORMAT]);
  if (!isWhole || bytes.length < jsonAt) return 0;
  return Math.min(jsonAt + bytes.readUInt32BE(jsonAt - 4), bytes.length);
}

/** Of a version's first bytes, as many as versionStartBytes told. Fails: StorageError "corrupt". */
export function unpackVersionStart(start: Uint8Array): VersionRecord {
  const bytes = asBuffer(start);
  return recordOf(bytes[0], bytes.toString("utf8", jsonOfVersion(bytes)));
}

/** Upload, part, manifest, garbage records and the like: JSON. */
export function packJson<T extends JsonRecord>(record: T): Buffer {
  return packRecord(record);
}

/** Fails: StorageError "corrupt". */
export function unpackJson<T extends JsonRecord>(value: Uint8Array): T {
  return unpackRecord(value) as T;
}

const NOTHING = new Uint8Array(0);

/** Where the JSON of a version stands, behind its length. */
function jsonOfVersion(bytes: Uint8Array): number {
  return bytes[0] === 1 ? 5 : JSON_AT;
}

/** The sum does not cover the format: JSON of another is told by its size. Fails: StorageError "corrupt". */
function recordOf(format: number | undefined, json: string): VersionRecord {
  const isCompact = format === VERSION_FORMAT;
  const stored = parseJson(json) as (CompactVersion & VersionRecord) | null;
  const sizeBytes: unknown = isCompact ? stored?.s : stored?.sizeBytes;
  if (stored === null || typeof sizeBytes !== "number") throw corruptRecord();
  return isCompact ? expandVersion(stored) : stored;
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
