import type { Tag } from "#object/attributes.ts";
import type { LifecycleFilter, LifecycleRule } from "#object/lifecycle.ts";

export const DAY_MS = 86_400_000;

/** What a rule looks at of an object. Tags are asked for only when a rule names some. */
export interface Subject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Whether a rule's conditions hold, its tags aside. */
export function matchesFilter(filter: LifecycleFilter, { key, sizeBytes }: Subject): boolean {
  return (
    key.startsWith(filter.prefix) &&
    (filter.overBytes === undefined || sizeBytes > filter.overBytes) &&
    (filter.underBytes === undefined || sizeBytes < filter.underBytes)
  );
}

/**
 * When `days` after `fromMs` are over: as on AWS at the next midnight UTC. With a day of another length,
 * as tests set it, at once.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
export function afterDays(fromMs: number, days: number, dayMs: number): number {
  const end = fromMs + days * dayMs;
  return dayMs === DAY_MS ? Math.ceil(end / DAY_MS) * DAY_MS : end;
}

/** When a rule removes a current version; undefined when it never does. */
export function expiresMs(
  { expiration }: LifecycleRule,
  { modifiedMs }: Subject,
  dayMs: number,
): number | undefined {
  if (expiration === undefined || "lonelyMarkers" in expiration) return undefined;
  return "dateMs" in expiration ? expiration.dateMs : afterDays(modifiedMs, expiration.days, dayMs);
}

export function hasTags({ tags }: LifecycleFilter, those: readonly Tag[]): boolean {
  return tags.every(([key, value]) =>
    those.some(([itsKey, itsValue]) => itsKey === key && itsValue === value),
  );
}

/** The end of something, and the rule that brings it. */
export interface Expiry {
  readonly atMs: number;
  readonly ruleId: string;
}

/** When the rules abort an unfinished upload, and which does first; undefined when none does. */
export function soonestAbort(
  rules: readonly LifecycleRule[],
  upload: { readonly key: string; readonly initiatedMs: number },
  dayMs: number,
): Expiry | undefined {
  let soonest: Expiry | undefined;
  for (const { enabled, abortDays, filter, id } of rules) {
    if (!enabled || abortDays === undefined || !upload.key.startsWith(filter.prefix)) continue;
    const atMs = afterDays(upload.initiatedMs, abortDays, dayMs);
    if (soonest === undefined || atMs < soonest.atMs) soonest = { atMs, ruleId: id };
  }
  return soonest;
}

/** The soonest end that the rules give a current version; undefined when it has none. */
export function soonestExpiry(
  rules: readonly LifecycleRule[],
  subject: Subject & { readonly tags: readonly Tag[] },
  dayMs: number,
): Expiry | undefined {
  let soonest: Expiry | undefined;
  for (const rule of rules) {
    const atMs = rule.enabled ? expiresMs(rule, subject, dayMs) : undefined;
    if (atMs === undefined || (soonest !== undefined && atMs >= soonest.atMs)) continue;
    if (!matchesFilter(rule.filter, subject) || !hasTags(rule.filter, subject.tags)) continue;
    soonest = { atMs, ruleId: rule.id };
  }
  return soonest;
}
