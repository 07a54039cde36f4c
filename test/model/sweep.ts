import { type ModelBucket, removeVersion, type World } from "#test/model/bucket.ts";
import type { Answer, CallOf, Rule } from "#test/model/call.ts";
import { remove } from "#test/model/objects.ts";

/** How long a day of a rule lasts here, so that none is rounded to midnight. */
export const DAY_MS = 100_000;

interface Sweep {
  readonly rule: Rule;
  readonly nowMs: number;
  /** Deletes a current version. */
  readonly expire: (key: string) => void;
}

/** On every bucket. The delete markers it lays are named in the answer. */
export function sweep(world: World, { rule }: CallOf<"sweep">): Answer {
  const markers: Record<string, string | undefined> = {};
  for (const [name, bucket] of world.buckets) {
    const expire = (key: string) => {
      const answer = { versionId: markerNamed(world, `${name}/${key}`) };
      const call = { kind: "delete", bucket: name, key, conditions: {} } as const;
      const made = remove({ ...world, answer }, call);
      if ("deleteMarker" in made && made["deleteMarker"] === true) {
        markers[`${name}/${key}`] = answer.versionId;
      }
    };
    sweepBucket(bucket, { rule, nowMs: world.nowMs, expire });
  }
  return { markers };
}

function markerNamed({ answer }: World, where: string): string | undefined {
  const markers = "markers" in answer ? answer["markers"] : undefined;
  const entries = Object.entries(markers ?? {});
  return entries.find(([each]) => each === where)?.[1];
}

/**
 * One rule over all of a bucket: older versions and spent markers first, then current versions, then uploads.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
function sweepBucket(bucket: ModelBucket, { rule, nowMs, expire }: Sweep): void {
  const due = (sinceMs: number, days: number | undefined) =>
    days !== undefined && sinceMs + days * DAY_MS <= nowMs;
  for (const [key, versions] of bucket.versioning === undefined ? [] : [...bucket.versions]) {
    const noncurrent = versions.flatMap((version, rank) => {
      const newer = versions[rank - 1];
      const kept = rank <= (rule.noncurrent?.keep ?? 0);
      const old = newer !== undefined && due(newer.modifiedMs, rule.noncurrent?.days);
      return old && !kept ? [version] : [];
    });
    // A marker that hides nothing goes when a rule says so, and at the age at which objects expire.
    const spent = versions.length === 1 ? versions.filter(({ isMarker }) => isMarker) : [];
    const lonely = spent.filter((each) => rule.markers || due(each.modifiedMs, rule.expire));
    for (const { id } of [...noncurrent, ...lonely]) {
      removeVersion(bucket, { bucket: "", key, versionId: id });
    }
  }
  for (const [key, [newest]] of [...bucket.versions]) {
    if (newest !== undefined && !newest.isMarker && due(newest.modifiedMs, rule.expire))
      expire(key);
  }
  bucket.uploads = bucket.uploads.filter(({ initiatedMs }) => !due(initiatedMs, rule.abort));
}
