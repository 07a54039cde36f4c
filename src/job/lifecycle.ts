import type { JobPlace } from "#catalog/job-place.ts";
import { type Sweeping, type SweepPlace, sweep } from "#job/lifecycle-sweep.ts";
import { DAY_MS } from "#object/lifecycle-due.ts";

export interface LifecycleJob extends Sweeping {
  readonly place: JobPlace<SweepPlace>;
  /** A name of this process that no other has. */
  readonly holder: string;
}

const EVERY_MS = 60 * 60 * 1_000;
/** Where a day is shorter. */
const SWEEPS_A_DAY = 96;
const EVERY_MS_MIN = 1_000;
/** Whoever sweeps and falls silent for so long is taken for dead. */
const LEASE_MS = 30_000;
const SAVE_MS = 1_000;

/**
 * Carries out the buckets' lifecycle rules, again and again, until the signal. Of all processes over
 * one store one sweeps at a time, and a sweep that was cut short goes on where it was.
 */
export async function runLifecycle(job: LifecycleJob): Promise<void> {
  const { clock, signal, log } = job;
  while (!signal.aborted) {
    // What fails once may go on failing, and each time is told.
    let waitMs = LEASE_MS;
    try {
      waitMs = await sweepWhenDue(job);
    } catch (cause) {
      log.error("a lifecycle sweep failed; it will be tried again", cause);
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** Sweeps unless it is too early or somebody else does. Resolves to how long to wait before the next try. */
export async function sweepWhenDue(job: LifecycleJob): Promise<number> {
  const { clock, place: jobPlace, holder, metrics, signal } = job;
  const early = earlyMs(job, await jobPlace.read());
  if (early > 0) return Math.min(early, LEASE_MS);
  const held = await jobPlace.take(holder, LEASE_MS);
  if (held === undefined) return EVERY_MS_MIN;
  let place = toGoOnFrom(held.place, clock.now());
  let savedMs = clock.now();
  metrics.buckets.set(0);
  metrics.running.set(1);
  try {
    place = await sweep(job, place, async (now) => {
      place = now;
      if (clock.now() - savedMs < SAVE_MS) return true;
      savedMs = clock.now();
      return await held.save(now);
    });
  } finally {
    metrics.running.set(0);
    await held.release(place);
  }
  if (place.endedMs !== undefined) metrics.ended.set(place.endedMs / 1_000);
  return signal.aborted ? 0 : earlyMs(job, place);
}

/** An unfinished sweep, else a new one. */
function toGoOnFrom(place: SweepPlace | undefined, nowMs: number): SweepPlace {
  if (place !== undefined && place.endedMs === undefined) return place;
  return { startedMs: nowMs, afterBucket: "" };
}

/** One sweep from the start to the end, whoever else sweeps. */
export async function sweepAll(sweeping: Sweeping): Promise<void> {
  const start = toGoOnFrom(undefined, sweeping.clock.now());
  await sweep(sweeping, start, async () => true);
}

/** How long until the next sweep, counted from the start of the last one; 0 when it is due. */
function earlyMs({ clock, dayMs }: LifecycleJob, place: SweepPlace | undefined): number {
  const nowMs = clock.now();
  // A clock that was set back must not stop the sweeps until the old time comes again.
  if (place?.endedMs === undefined || Math.max(place.startedMs, place.endedMs) > nowMs) return 0;
  const everyMs = dayMs === DAY_MS ? EVERY_MS : Math.max(EVERY_MS_MIN, dayMs / SWEEPS_A_DAY);
  const nextMs = Math.max(place.startedMs + everyMs, place.endedMs + EVERY_MS_MIN);
  return Math.max(0, nextMs - nowMs);
}
