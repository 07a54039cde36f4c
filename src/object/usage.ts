import { STORAGE_CLASSES, type StorageClass } from "#object/attributes.ts";

/** What a bucket, or an organization in one zone, holds. */
export interface Usage {
  readonly classes: Readonly<Record<StorageClass, ClassUsage>>;
  readonly deleteMarkers: number;
  readonly uploads: number;
}

/** Sizes are logical: of a copy as of its source, whoever holds the bytes. */
export interface ClassUsage {
  readonly versions: number;
  readonly bytes: number;
  /** Of unfinished uploads. */
  readonly partBytes: number;
}

/** How far the counted bytes may go where a write goes to. */
export interface Room {
  /** Of the bucket's organization in the bucket's zone, by class; without end where it is absent. */
  readonly zoneBytesMax: Readonly<Partial<Record<StorageClass, number>>>;
  /** Of the bucket, of all classes together. */
  readonly bucketBytesMax: number | undefined;
}

/** What quotas count of a class: versions, and parts of unfinished uploads. */
export function countedBytes({ classes }: Usage, storageClass: StorageClass): number {
  const { bytes, partBytes } = classes[storageClass];
  return bytes + partBytes;
}

export function totalBytes(usage: Usage): number {
  return STORAGE_CLASSES.reduce((sum, each) => sum + countedBytes(usage, each), 0);
}

/** What an organization holds in one zone. */
export interface ZoneUsage {
  readonly organizationId: string;
  readonly zone: string;
  readonly usage: Usage;
}
