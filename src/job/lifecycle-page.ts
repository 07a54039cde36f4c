import { S3Error } from "#base/error.ts";
import type { Bucket } from "#object/bucket.ts";
import type {
  DeleteConditions,
  Engine,
  ListedObject,
  ListedVersion,
  ObjectName,
} from "#object/engine.ts";
import type { LifecycleRule } from "#object/lifecycle.ts";
import { afterDays, expiresMs, hasTags, matchesFilter } from "#object/lifecycle-due.ts";
import { objectKey } from "#object/name.ts";

/** What a sweep can do. */
type SweepAction = "expired" | "noncurrent" | "markers" | "uploads";

/** One thing that a rule asks for now. */
export interface Due {
  readonly action: SweepAction;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly uploadId: string | undefined;
  readonly ruleId: string;
  /** What must still be true of it at the commit. */
  readonly conditions: DeleteConditions;
}

/** What is looked at, and by what it is judged. */
export interface Scan {
  readonly engine: Engine;
  readonly bucket: Bucket;
  readonly rules: readonly LifecycleRule[];
  readonly nowMs: number;
  /** How long a day of a rule lasts. */
  readonly dayMs: number;
  /** How many objects, versions or uploads are looked at, at least 2. */
  readonly limit: number;
}

/** Where in a bucket to look next. Only what JSON can carry, for it is remembered. */
export type BucketPlace =
  | { readonly step: "current"; readonly after: string }
  | {
      readonly step: "versions";
      readonly afterKey: string;
      readonly afterVersionId: string | undefined;
      /** Of that version: how many newer ones its key has, and when it was made. */
      readonly rank: number;
      readonly modifiedMs: number;
    }
  | {
      readonly step: "uploads";
      readonly afterKey: string;
      readonly afterUploadId: string | undefined;
    };

export interface DuePage {
  readonly due: readonly Due[];
  /** How many were looked at. */
  readonly examined: number;
  /** undefined at the end of the bucket. */
  readonly next: BucketPlace | undefined;
}

/** Older versions first: what expires in a sweep makes no version of its key due in the same one. */
export const BUCKET_START: BucketPlace = {
  ...{ step: "versions", afterKey: "", afterVersionId: undefined },
  ...{ rank: 0, modifiedMs: 0 },
};
const CURRENT_START: BucketPlace = { step: "current", after: "" };
const UPLOADS_START: BucketPlace = { step: "uploads", afterKey: "", afterUploadId: undefined };

/** Looks at the next few things of a bucket. A step that no rule is about is over at once. */
export async function duePage(scan: Scan, place: BucketPlace): Promise<DuePage> {
  const rules = scan.rules.filter(({ enabled }) => enabled);
  const chosen = { ...scan, rules };
  switch (place.step) {
    case "current":
      return await currentPage(chosen, place);
    case "versions":
      return await versionsPage(chosen, place);
    case "uploads":
      return await uploadsPage(chosen, place);
  }
}

type Place<Step extends BucketPlace["step"]> = Extract<BucketPlace, { readonly step: Step }>;

async function currentPage(scan: Scan, { after }: Place<"current">): Promise<DuePage> {
  const { engine, bucket, limit } = scan;
  const rules = scan.rules.filter((rule) => expiresMs(rule, NOTHING, scan.dayMs) !== undefined);
  if (rules.length === 0) return { due: [], examined: 0, next: UPLOADS_START };
  const ask = { prefix: commonPrefix(rules), delimiter: "", after, limit };
  const page = await engine.list(bucket, ask);
  const due: Due[] = [];
  for (const object of page.objects) {
    const rule = await expiringRule({ ...scan, rules }, object);
    if (rule === undefined) continue;
    const { key, modifiedMs } = object;
    // Only what was looked at: an object written meanwhile is another one.
    due.push({ ...of("expired", rule), key, conditions: { modifiedMs } });
  }
  const next: BucketPlace =
    page.next === undefined ? UPLOADS_START : { step: "current", after: page.next };
  return { due, examined: page.objects.length, next };
}

const NOTHING = { key: "", sizeBytes: 0, modifiedMs: 0 };

async function expiringRule(scan: Scan, object: ListedObject): Promise<LifecycleRule | undefined> {
  for (const rule of scan.rules) {
    const atMs = expiresMs(rule, object, scan.dayMs);
    if (atMs === undefined || atMs > scan.nowMs || !matchesFilter(rule.filter, object)) continue;
    if (await bearsTags(scan, rule, { key: object.key })) return rule;
  }
  return undefined;
}

/** Versions come by key, the newest first. */
async function versionsPage(scan: Scan, place: Place<"versions">): Promise<DuePage> {
  const { engine, bucket, limit } = scan;
  const rules = scan.rules.filter(
    ({ noncurrent, expiration }) => noncurrent !== undefined || expiration !== undefined,
  );
  if (rules.length === 0 || bucket.versioning === undefined) {
    return { due: [], examined: 0, next: CURRENT_START };
  }
  const { afterKey, afterVersionId } = place;
  const ask = { prefix: commonPrefix(rules), delimiter: "", limit, afterKey, afterVersionId };
  const page = await engine.listVersions(bucket, ask);
  const due: Due[] = [];
  let before: Pick<Ranked, "key" | "rank" | "modifiedMs"> = { ...place, key: afterKey };
  let examined = 0;
  for (const [index, version] of page.versions.entries()) {
    const follower = page.versions[index + 1];
    // The next page begins with this one: only its follower tells whether it is alone.
    if (follower === undefined && page.next !== undefined && index > 0) break;
    examined += 1;
    const isNewest = version.key !== before.key;
    const ranked: Ranked = {
      ...version,
      rank: isNewest ? 0 : before.rank + 1,
      becameOldMs: isNewest ? undefined : before.modifiedMs,
      alone: isNewest && follower?.key !== version.key,
    };
    const found = await dueVersion({ ...scan, rules }, ranked);
    if (found !== undefined) due.push(found);
    before = ranked;
  }
  if (page.next === undefined) return { due, examined, next: CURRENT_START };
  const last = page.versions[examined - 1];
  const { key, rank, modifiedMs } = before;
  const from = { afterKey: key, afterVersionId: last?.place, rank, modifiedMs };
  return { due, examined, next: { step: "versions", ...from } };
}

interface Ranked extends ListedVersion {
  /** 0 for the current version, 1 for the newest noncurrent one, and so on. */
  readonly rank: number;
  readonly becameOldMs: number | undefined;
  /** No other version of the key is left. */
  readonly alone: boolean;
}

async function dueVersion(scan: Scan, version: Ranked): Promise<Due | undefined> {
  const { key, versionId } = version;
  for (const rule of scan.rules) {
    if (version.alone && isSpentMarker(scan, rule, version)) {
      return { ...of("markers", rule), key, versionId, conditions: { alone: true } };
    }
    if (await isOld(scan, rule, version)) {
      const newerMin = (rule.noncurrent?.keep ?? 0) + 1;
      return { ...of("noncurrent", rule), key, versionId, conditions: { newerMin } };
    }
  }
  return undefined;
}

/**
 * A delete marker that hides nothing goes when a rule says so, or when it is as old as objects may
 * become. It has neither tags nor a size.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
function isSpentMarker({ nowMs, dayMs }: Scan, rule: LifecycleRule, version: Ranked): boolean {
  const { expiration, filter } = rule;
  if (!version.deleteMarker || expiration === undefined || isNarrow(rule)) return false;
  if (!version.key.startsWith(filter.prefix)) return false;
  return "lonelyMarkers" in expiration || (expiresMs(rule, version, dayMs) ?? Infinity) <= nowMs;
}

async function isOld(scan: Scan, rule: LifecycleRule, version: Ranked): Promise<boolean> {
  const { noncurrent, filter } = rule;
  const { rank, becameOldMs, deleteMarker, key, versionId } = version;
  if (noncurrent === undefined || becameOldMs === undefined || rank <= noncurrent.keep)
    return false;
  if (afterDays(becameOldMs, noncurrent.days, scan.dayMs) > scan.nowMs) return false;
  if (deleteMarker) return !isNarrow(rule) && key.startsWith(filter.prefix);
  return matchesFilter(filter, version) && (await bearsTags(scan, rule, { key, versionId }));
}

/** What no rule is about is not looked at. */
function commonPrefix(rules: readonly LifecycleRule[]): string {
  const [first = "", ...others] = rules.map(({ filter }) => filter.prefix);
  return others.reduce((common, prefix) => {
    let end = 0;
    while (end < common.length && common[end] === prefix[end]) end += 1;
    // Never between the two halves of a character.
    return common.slice(0, /[\ud800-\udbff]/.test(common[end - 1] ?? "") ? end - 1 : end);
  }, first);
}

function isNarrow({ filter }: LifecycleRule): boolean {
  return (
    filter.tags.length > 0 || filter.overBytes !== undefined || filter.underBytes !== undefined
  );
}

async function uploadsPage(scan: Scan, place: Place<"uploads">): Promise<DuePage> {
  const { engine, bucket, limit, nowMs, dayMs } = scan;
  const rules = scan.rules.filter(({ abortDays }) => abortDays !== undefined);
  if (rules.length === 0) return { due: [], examined: 0, next: undefined };
  const { afterKey, afterUploadId } = place;
  const ask = { prefix: commonPrefix(rules), delimiter: "", limit, afterKey, afterUploadId };
  const page = await engine.listUploads(bucket, ask);
  const due = page.uploads.flatMap(({ key, uploadId, initiatedMs }): Due[] => {
    const rule = rules.find(
      ({ abortDays = Infinity, filter }) =>
        key.startsWith(filter.prefix) && afterDays(initiatedMs, abortDays, dayMs) <= nowMs,
    );
    return rule === undefined ? [] : [{ ...of("uploads", rule), key, uploadId, conditions: {} }];
  });
  const next: BucketPlace | undefined = page.next && {
    ...{ step: "uploads", afterKey: page.next.key, afterUploadId: page.next.uploadId },
  };
  return { due, examined: page.uploads.length, next };
}

function of(action: SweepAction, { id }: LifecycleRule) {
  return { action, ruleId: id, versionId: undefined, uploadId: undefined };
}

/** Tags stand in the object's record, which is read only for rules that name some. */
async function bearsTags(
  { engine, bucket }: Scan,
  { filter }: LifecycleRule,
  { key, versionId }: { readonly key: string; readonly versionId?: string },
): Promise<boolean> {
  if (filter.tags.length === 0) return true;
  const name: ObjectName = {
    ...{ bucket, key: objectKey(key) },
    ...(versionId === undefined ? {} : { versionId }),
  };
  try {
    return hasTags(filter, (await engine.head(name)).attributes.tags);
  } catch (cause) {
    // Gone meanwhile.
    if (cause instanceof S3Error) return false;
    throw cause;
  }
}
