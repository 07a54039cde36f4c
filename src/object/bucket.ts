import type { BucketName } from "#object/name.ts";

/** undefined: versions were never kept. */
export type Versioning = "Enabled" | "Suspended" | undefined;

/** A bucket as it was when it was read. */
export interface Bucket {
  readonly name: BucketName;
  /** 16 hexadecimal digits, never used again for another bucket of the same name. */
  readonly id: string;
  /** Whose it is. */
  readonly organizationId: string;
  /** The same, as S3 shows owners: 64 hexadecimal digits. */
  readonly ownerId: string;
  readonly region: string;
  readonly createdMs: number;
  readonly versioning: Versioning;
  /** The directory that it is, when it is a volume. */
  readonly volume?: VolumeSettings | undefined;
  /** Must still hold when an object of the bucket is committed. */
  readonly guard: { readonly key: Uint8Array; readonly revision: number };
}

/** A directory that other programs read and write too, served as a bucket. */
export interface VolumeSettings {
  /** For people. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** What its files may take together; undefined: what the disk holds. */
  readonly sizeBytes: number | undefined;
  /** Of what S3 makes; undefined: the server's own. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** As 0o022. */
  readonly umask: number;
}

/** What must still be true for a bucket to be empty, and what goes when the bucket goes. */
export interface Emptiness {
  readonly guards: readonly { readonly key: Uint8Array; readonly revision: number }[];
  readonly writes: readonly { readonly key: Uint8Array; readonly value: undefined }[];
}
