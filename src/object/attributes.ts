import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { EncryptionKind } from "#object/encryption.ts";

export const STORAGE_CLASSES = ["STANDARD", "STANDARD_IA"] as const;
export type StorageClass = (typeof STORAGE_CLASSES)[number];

/** Headers that are stored with an object and given back as they were, by their names in lower case. */
export const STORED_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-website-redirect-location",
] as const;
export type StoredHeader = (typeof STORED_HEADERS)[number];

/** What a client says of an object besides its bytes. */
export interface Attributes {
  readonly headers: Readonly<Partial<Record<StoredHeader, string>>>;
  /** `x-amz-meta-*` without the prefix, in lower case. */
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly storageClass: StorageClass;
}

/** What a client says of an object besides its bytes, its tags and its class. */
export type Metadata = Pick<Attributes, "headers" | "userMetadata">;

const REDIRECT = "x-amz-website-redirect-location";

/**
 * Of a copy. Where a website redirects to is of one object alone: a copy has what the request says of it.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-metadata-directive)
 */
export function copiedMetadata(
  source: Metadata,
  asked: { readonly metadata: Metadata | undefined; readonly redirect?: string | undefined },
): Metadata {
  if (asked.metadata !== undefined) return asked.metadata;
  const { [REDIRECT]: _, ...headers } = source.headers;
  const { redirect } = asked;
  return {
    headers: redirect === undefined ? headers : { ...headers, [REDIRECT]: redirect },
    userMetadata: source.userMetadata,
  };
}

export type Tag = readonly [key: string, value: string];

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64; a composite one ends in `-` and the number of parts. */
  readonly value: string;
}

/** One version of an object, without its bytes. */
export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  /** "null" for a null version; undefined in a bucket that never kept versions. */
  readonly versionId: string | undefined;
  readonly attributes: Attributes;
  readonly checksum: Checksum | undefined;
  /** How many parts it was uploaded in; undefined when it was put whole. */
  readonly partsCount: number | undefined;
  /** At rest. */
  readonly encryption?: EncryptionKind | undefined;
}
