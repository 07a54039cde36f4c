import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Attributes, ChecksumType, Tag } from "#object/attributes.ts";
import type { Versioning } from "#object/bucket.ts";
import type { Conditions, WriteConditions } from "#object/conditions.ts";
import type { DeleteConditions } from "#object/engine.ts";

/** A key of a bucket. */
export interface Where {
  readonly bucket: string;
  readonly key: string;
}

export interface Which extends Where {
  readonly versionId?: string | undefined;
}

export interface Upload extends Where {
  readonly uploadId: string;
}

/** What is sent: bytes, and what the client claims of them. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Which of the digests sent along is wrong. */
  readonly wrong: "MD5" | "checksum" | undefined;
}

export interface CompletedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums?: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
}

/** One request as both sides understand it: the engine through its interface, the model by itself. */
export type Call =
  | { readonly kind: "createBucket"; readonly bucket: string }
  | { readonly kind: "deleteBucket"; readonly bucket: string }
  | {
      readonly kind: "setVersioning";
      readonly bucket: string;
      readonly to: Exclude<Versioning, undefined>;
    }
  | ({
      readonly kind: "put";
      readonly attributes: Attributes;
      readonly conditions: WriteConditions;
    } & Where &
      Sent)
  | ({ readonly kind: "delete"; readonly conditions: DeleteConditions } & Which)
  | ({
      readonly kind: "copy";
      readonly source: Which;
      readonly sourceConditions: Conditions;
      readonly conditions: WriteConditions;
      /** undefined: the source's are taken over. */
      readonly attributes: Attributes | undefined;
      readonly algorithm: ChecksumAlgorithm | undefined;
    } & Where)
  | ({
      readonly kind: "rename";
      readonly source: string;
      readonly sourceConditions: Conditions;
      readonly conditions: Conditions;
      readonly token: string | undefined;
    } & Where)
  | ({ readonly kind: "setTags"; readonly tags: readonly Tag[] } & Which)
  | ({
      readonly kind: "createUpload";
      readonly attributes: Attributes;
      readonly algorithm: ChecksumAlgorithm | undefined;
      readonly checksumType: ChecksumType | undefined;
    } & Where)
  | ({ readonly kind: "putPart"; readonly number: number } & Upload & Sent)
  | ({
      readonly kind: "copyPart";
      readonly number: number;
      readonly source: Which;
      readonly conditions: Conditions;
      readonly range: { readonly first: number; readonly last: number } | undefined;
    } & Upload)
  | ({
      readonly kind: "completeUpload";
      readonly parts: readonly CompletedPart[];
      readonly conditions: WriteConditions;
      readonly sizeBytes: number | undefined;
    } & Upload)
  | ({ readonly kind: "abortUpload" } & Upload)
  /** Garbage is thrown away: nobody sees a difference. */
  | { readonly kind: "collect" }
  /** Time passes, and the lifecycle rule of each bucket is carried out. */
  | { readonly kind: "sweep"; readonly days: number; readonly rule: Rule };

/** A lifecycle rule over a whole bucket; each field in days. */
export interface Rule {
  readonly expire: number | undefined;
  readonly noncurrent: { readonly days: number; readonly keep: number } | undefined;
  readonly abort: number | undefined;
  readonly markers: boolean;
}

export type CallOf<Kind extends Call["kind"]> = Extract<Call, { readonly kind: Kind }>;

/** What is shown of a version, with its bytes. */
export type Shown = Readonly<Record<string, unknown>>;

/** What a call answered: values, or the code of a refusal. */
export type Answer = Shown | { readonly refused: string };

/** All that can be seen of a bucket. */
export interface View {
  /** What each key that has versions reads as. */
  readonly keys: readonly Shown[];
  readonly objects: readonly Shown[];
  readonly versions: readonly Shown[];
  readonly uploads: readonly Shown[];
}
