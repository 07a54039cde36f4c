import type { Attributes, Checksum } from "#object/attributes.ts";
import type { EncryptionRecord } from "#versioned/encryption.ts";
import type { Content, VersionRecord } from "#versioned/record.ts";

/**
 * A version record as it is stored: what is as it mostly is, is left out, and names are short. There is
 * one for each small object, and each GET reads one.
 */
export interface CompactVersion {
  /** Bytes. */
  readonly s: number;
  readonly md5: string;
  /** When it was written, in milliseconds since 1970. */
  readonly t: number;
  /** Content; absent: inline, in the clear. */
  readonly c?: Content;
  readonly parts?: number;
  readonly marker?: 1;
  readonly null?: 1;
  readonly h?: Attributes["headers"];
  readonly meta?: Attributes["userMetadata"];
  readonly tags?: Attributes["tags"];
  readonly class?: Attributes["storageClass"];
  readonly sum?: readonly [Checksum["algorithm"], Checksum["type"], Checksum["value"]];
  readonly enc?: EncryptionRecord;
}

const INLINE: Content = { kind: "inline" };
const NO_HEADERS: Attributes["headers"] = {};
const NO_METADATA: Attributes["userMetadata"] = {};
const NO_TAGS: Attributes["tags"] = [];

/** For JSON, which leaves out what is undefined. */
export function compactVersion(record: VersionRecord): Record<keyof CompactVersion, unknown> {
  const { attributes, checksum, content } = record;
  const { headers, userMetadata, tags, storageClass } = attributes;
  const isPlain = content.kind === "inline" && content.seal === undefined;
  return {
    s: record.sizeBytes,
    md5: record.md5,
    t: record.modifiedMs,
    c: isPlain ? undefined : content,
    parts: record.partsCount === 0 ? undefined : record.partsCount,
    marker: record.deleteMarker ? 1 : undefined,
    null: record.isNull ? 1 : undefined,
    h: isEmpty(headers) ? undefined : headers,
    meta: isEmpty(userMetadata) ? undefined : userMetadata,
    tags: tags.length === 0 ? undefined : tags,
    class: storageClass === "STANDARD" ? undefined : storageClass,
    sum: checksum && [checksum.algorithm, checksum.type, checksum.value],
    enc: record.encryption,
  };
}

export function expandVersion(stored: CompactVersion): VersionRecord {
  const { sum } = stored;
  return {
    deleteMarker: stored.marker === 1,
    isNull: stored.null === 1,
    sizeBytes: stored.s,
    md5: stored.md5,
    partsCount: stored.parts ?? 0,
    modifiedMs: stored.t,
    attributes: {
      headers: stored.h ?? NO_HEADERS,
      userMetadata: stored.meta ?? NO_METADATA,
      tags: stored.tags ?? NO_TAGS,
      storageClass: stored.class ?? "STANDARD",
    },
    checksum: sum && { algorithm: sum[0], type: sum[1], value: sum[2] },
    content: stored.c ?? INLINE,
    encryption: stored.enc,
  };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
