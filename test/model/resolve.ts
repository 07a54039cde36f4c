import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Conditions, WriteConditions } from "#object/conditions.ts";
import { currentOf, type ModelBucket, versionsOf } from "#test/model/bucket.ts";
import type { Call, CallOf, Upload, Where } from "#test/model/call.ts";
import type { Model } from "#test/model/model.ts";
import type {
  Sources,
  Step,
  StepOf,
  TagRef,
  TimeRef,
  VersionRef,
  WriteAsked,
} from "#test/model/step.ts";
import { NO_ATTRIBUTES, type Part, type Version } from "#test/model/version.ts";

/** What the intentions are resolved against. */
export interface Known {
  readonly model: Model;
  /** Every upload that was ever begun. */
  readonly begun: readonly Upload[];
}

const OTHER_TAG = "0123456789abcdef0123456789abcdef";
const NO_VERSION = "000000000fffffff";
const NO_UPLOAD = "ff".repeat(16);
/** Instead of a part for which there is no upload. */
const BEGIN: Omit<CallOf<"createUpload">, "bucket"> = {
  ...{ kind: "createUpload", key: "a", attributes: NO_ATTRIBUTES },
  ...{ algorithm: undefined, checksumType: undefined },
};
/** Instead of completing an upload that has no part. */
const FIRST_PART: Omit<CallOf<"putPart">, keyof Upload> = {
  ...{ kind: "putPart", number: 1, bytes: Buffer.from("the first and only part") },
  ...{ algorithm: undefined, wrong: undefined },
};
const EMPTY: ModelBucket = {
  ...{ versioning: undefined, versions: new Map(), uploads: [], tokens: new Map() },
};

/** Makes an intention a request, by what the model says there is. */
export function resolve(known: Known, step: Step): Call {
  if ("ofAll" in step && !step.ofAll && bucketOf(known, step.bucket).uploads.length === 0) {
    return { ...BEGIN, bucket: step.bucket };
  }
  switch (step.kind) {
    case "put": {
      const { when, ...call } = step;
      return { ...call, conditions: writeConditions(when, current(known, step)) };
    }
    case "delete":
      return resolveDelete(known, step);
    case "copy":
      return resolveCopy(known, step);
    case "rename": {
      const { when, sourceWhen, ...call } = step;
      const source = sourceKey(known, step.bucket, step.source);
      const found = current(known, { ...step, key: source });
      const sourceConditions = conditions(sourceWhen, found);
      const own = conditions(when, current(known, step));
      return { ...call, source, conditions: own, sourceConditions };
    }
    case "setTags": {
      const { version, ...call } = step;
      return { ...call, versionId: versionId(known, step, version) };
    }
    case "createUpload": {
      const { sums, ...call } = step;
      const [algorithm, checksumType] = sums;
      return { ...call, algorithm, checksumType };
    }
    case "putPart":
      return resolvePart(known, step);
    case "copyPart":
      return resolveCopiedPart(known, step);
    case "completeUpload":
      return resolveComplete(known, step);
    case "abortUpload":
      return { kind: step.kind, ...uploadOf(known, step) };
    default:
      return step;
  }
}

function resolveDelete(known: Known, step: StepOf<"delete">): CallOf<"delete"> {
  const { bucket, key, version, when, ifWritten } = step;
  const [newest] = versionsOf(bucketOf(known, bucket), key);
  const at = newest?.modifiedMs ?? 1;
  const times = { same: at, later: at + 1_000 };
  return {
    ...{ kind: "delete", bucket, key, versionId: versionId(known, step, version) },
    conditions: {
      ...(when === undefined ? {} : { ifMatch: tag(when, newest) }),
      ...(ifWritten === undefined ? {} : { modifiedMs: times[ifWritten] }),
    },
  };
}

function resolveCopy(known: Known, step: StepOf<"copy">): CallOf<"copy"> {
  const { bucket, key, when, sourceWhen, attributes, algorithm } = step;
  const { which, found } = sourceOf(known, step);
  return {
    ...{ kind: "copy", bucket, key, source: which, attributes, algorithm },
    sourceConditions: conditions(sourceWhen, found),
    conditions: writeConditions(when, current(known, step)),
  };
}

function resolvePart(known: Known, step: StepOf<"putPart">): CallOf<"putPart"> {
  const { number, bytes, wrong, sum } = step;
  const upload = uploadOf(known, step);
  const its = bucketOf(known, upload.bucket).uploads.find(
    ({ uploadId }) => uploadId === upload.uploadId,
  )?.algorithm;
  return {
    ...{ kind: "putPart", ...upload, number, bytes, wrong },
    algorithm: sum === "its" ? its : sum,
  };
}

function resolveCopiedPart(known: Known, step: StepOf<"copyPart">): CallOf<"copyPart"> {
  const { number, sourceWhen, first, length } = step;
  const { which, found } = sourceOf(known, step);
  return {
    ...{ kind: "copyPart", ...uploadOf(known, step), number, source: which },
    conditions: conditions(sourceWhen, found),
    range: length === undefined ? undefined : { first, last: first + length - 1 },
  };
}

/** Of the parts that are there some are left out, and one thing may be wrong. */
function resolveComplete(known: Known, step: StepOf<"completeUpload">): Call {
  const { bucket, when, leaveOut, fault } = step;
  const upload = uploadOf(known, step);
  const found = bucketOf(known, bucket).uploads.find((each) => each.uploadId === upload.uploadId);
  const there = [...(found?.parts.values() ?? [])].sort((a, b) => a.number - b.number);
  if (found !== undefined && there.length === 0) {
    return { ...FIRST_PART, ...upload, algorithm: found.algorithm };
  }
  const some = there.filter(({ number }) => !leaveOut.includes(number));
  const parts = (some.length > 0 ? some : there).map((part) => completed(part, found?.algorithm));
  // A list without parts is refused before it comes to an engine.
  const [first = { number: 1, etag: OTHER_TAG }] = parts;
  const sizes = there.map(({ bytes }) => bytes.length + 1);
  return {
    ...{ kind: "completeUpload", ...upload },
    conditions: writeConditions(when, currentOf(bucketOf(known, upload.bucket), upload.key)),
    sizeBytes: fault === "size" ? sizes.reduce((sum, size) => sum + size, 1) : undefined,
    parts: {
      none: parts.length === 0 ? [first] : parts,
      size: parts.length === 0 ? [first] : parts,
      order: [...parts, first],
      missing: [...parts, { number: 9, etag: first.etag }],
      tag: [{ number: first.number, etag: OTHER_TAG }, ...parts.slice(1)],
    }[fault ?? "none"],
  };
}

/** With the checksum by which the upload knows it. */
function completed({ number, etag, checksums }: Part, algorithm?: ChecksumAlgorithm) {
  if (algorithm === undefined) return { number, etag };
  return { number, etag, checksums: { [algorithm]: checksums[algorithm] ?? "" } };
}

function bucketOf({ model }: Known, name: string): ModelBucket {
  return model.buckets.get(name) ?? EMPTY;
}

function current(known: Known, { bucket, key }: Where): Version | undefined {
  return currentOf(bucketOf(known, bucket), key);
}

function versionId(known: Known, { bucket, key }: Where, ref: VersionRef): string | undefined {
  switch (ref) {
    case "newest":
      return undefined;
    case "null":
    case "malformed":
      return ref;
    case "missing":
      return NO_VERSION;
    default: {
      const versions = versionsOf(bucketOf(known, bucket), key);
      return versions[ref % Math.max(1, versions.length)]?.id;
    }
  }
}

function sourceKey(known: Known, bucket: string, ref: string | number): string {
  if (typeof ref === "string") return ref;
  const keys = [...bucketOf(known, bucket).versions.keys()];
  return keys[ref % Math.max(1, keys.length)] ?? "a";
}

function sourceOf(known: Known, step: StepOf<"copy"> | StepOf<"copyPart">) {
  const key = sourceKey(known, step.sourceBucket, step.source);
  const where = { bucket: step.sourceBucket, key };
  const id = versionId(known, where, step.version);
  const versions = versionsOf(bucketOf(known, where.bucket), where.key);
  const found = id === undefined ? versions[0] : versions.find((each) => each.id === id);
  return { which: { ...where, versionId: id }, found };
}

function uploadOf(
  { model, begun }: Known,
  step: { readonly bucket: string; readonly upload: number; readonly ofAll: boolean },
): Upload {
  const { bucket } = step;
  const open = model.buckets.get(bucket)?.uploads ?? [];
  const of = step.ofAll ? begun.filter((each) => each.bucket === bucket) : open;
  const found = of[step.upload % Math.max(1, of.length)];
  return { bucket, key: found?.key ?? "a", uploadId: found?.uploadId ?? NO_UPLOAD };
}

function writeConditions(asked: WriteAsked, found: Version | undefined): WriteConditions {
  if (asked === undefined) return {};
  return asked === "mustNotExist" ? { ifNoneMatch: "*" } : { ifMatch: tag(asked, found) };
}

function conditions(asked: Sources, found: Version | undefined): Conditions {
  const { match, noneMatch } = asked;
  const times = "modifiedSince" in asked ? asked : undefined;
  const [modified, unmodified] = [times?.modifiedSince, times?.unmodifiedSince];
  return {
    ...(match === undefined ? {} : { ifMatch: tag(match, found) }),
    ...(noneMatch === undefined ? {} : { ifNoneMatch: tag(noneMatch, found) }),
    ...(modified === undefined ? {} : { ifModifiedSinceMs: timeOf(modified, found) }),
    ...(unmodified === undefined ? {} : { ifUnmodifiedSinceMs: timeOf(unmodified, found) }),
  };
}

function tag(ref: Exclude<TagRef, undefined>, found: Version | undefined): string {
  const its = found?.etag ?? OTHER_TAG;
  return { its, quoted: `"${its}"`, listed: `"x", "${its}"`, other: OTHER_TAG, any: "*" }[ref];
}

/** HTTP's times are whole seconds. */
function timeOf(ref: Exclude<TimeRef, undefined>, found: Version | undefined): number {
  const at = Math.floor((found?.modifiedMs ?? 0) / 1_000) * 1_000;
  return { before: at - 1_000, at, after: at + 1_000 }[ref];
}
