import type { Damage, Scrubbed, ScrubPlace } from "#check/scrub.ts";

/** What its place and its orders stand under. */
export const SCRUB = "scrub";

export interface ScrubSettings {
  /** From the begin of one to that of the next; 0: only when somebody asks. */
  readonly intervalMs: number;
  readonly bytesPerSecond: number;
}

export interface ScrubCounts extends Scrubbed {
  readonly damaged: number;
}

export interface FoundDamage extends Omit<Damage, "bucketId"> {
  /** Its name, or its id when that cannot be told. */
  readonly bucket: string;
  readonly foundMs: number;
}

/** One reading of everything. */
export interface ScrubPass {
  readonly startedMs: number;
  /** undefined while it is under way. */
  readonly endedMs?: number | undefined;
  readonly counts: ScrubCounts;
  /** The first of what it found. */
  readonly damages: readonly FoundDamage[];
}

/** What is remembered of the scrub. Only what JSON can carry. */
export interface ScrubRecord extends ScrubPass {
  readonly place: ScrubPlace;
  /** The one before. */
  readonly last?: ScrubPass | undefined;
  /** How often it was taken up at this place by a process that was not heard of again. */
  readonly starts: number;
}

/** The last that has come to its end. */
export function lastWhole(record: ScrubRecord | undefined): ScrubPass | undefined {
  return record?.endedMs === undefined ? record?.last : record;
}

/** So many things are damaged, by all that is known: what was found stays so until a whole scrub finds it no more. */
export function damagedIn(record: ScrubRecord): number {
  return Math.max(record.counts.damaged, lastWhole(record)?.counts.damaged ?? 0);
}

/** How long until the next scrub; 0 when one is due or goes on, undefined when it begins only if somebody asks. */
export function scrubEarlyMs(
  record: ScrubRecord | undefined,
  { intervalMs, nowMs }: { readonly intervalMs: number; readonly nowMs: number },
): number | undefined {
  if (intervalMs === 0) return undefined;
  // A clock that was set back must not stop the scrubs until that time comes again.
  if (record?.endedMs === undefined || record.startedMs > nowMs) return 0;
  return Math.max(0, record.startedMs + intervalMs - nowMs);
}
