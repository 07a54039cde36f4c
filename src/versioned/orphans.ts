import { StorageError } from "#base/error.ts";
import type { BlobId } from "#blob/store.ts";
import { referenceSpan } from "#versioned/keys.ts";
import type { Stores } from "#versioned/store.ts";

/** How many are remembered at once; the rest is found the next time. */
const CANDIDATES_MAX = 100_000;
/** After so many blobs a breath is taken, so that requests come first. */
const BLOBS_AT_ONCE = 100;
const BREATH_MS = 5;

export interface OrphansRemoved {
  readonly removed: number;
  /** Why the first of those stays that could not be removed. */
  readonly failure: StorageError | undefined;
}

export interface OrphanAsk {
  /** Younger blobs may be about to be committed. */
  readonly ageMsMin: number;
  /** Between the two looks. By the monotonic clock, so that a jump of the other endangers nothing. */
  readonly waitMs: number;
  /** When the oldest request began that is still being answered: its commit may be on its way. */
  readonly oldestMs: () => Promise<number>;
  readonly signal: AbortSignal;
}

/**
 * Removes blobs that no record refers to: what a crash leaves between a blob's last byte and its commit.
 * A blob goes only when two looks, some time apart, find no reference, and no request is left between them
 * that began before the first: a disk may hold up a commit for longer than any time. One that cannot be removed
 * keeps no other.
 */
export async function removeOrphans(stores: Stores, ask: OrphanAsk): Promise<OrphansRemoved> {
  let beganMs = stores.clock.now();
  const candidates = await findCandidates(stores, ask);
  if (candidates.length === 0) return { removed: 0, failure: undefined };
  do {
    await stores.clock.sleep(ask.waitMs, ask.signal);
    // Where the clock was set back: whoever begins from here on began after the first look.
    beganMs = Math.min(beganMs, stores.clock.now());
  } while ((await ask.oldestMs()) <= beganMs);
  return await removeAll(stores, candidates, ask.signal);
}

/** What nothing refers to at the first look. */
async function findCandidates(
  stores: Stores,
  { ageMsMin, signal }: OrphanAsk,
): Promise<readonly BlobId[]> {
  const candidates: BlobId[] = [];
  let looked = 0;
  for await (const { id, ageMs } of stores.blobs.list()) {
    looked += 1;
    if (looked % BLOBS_AT_ONCE === 0) await stores.clock.sleep(BREATH_MS, signal);
    if (ageMs < ageMsMin || (await isReferenced(stores, id))) continue;
    if (candidates.push(id) === CANDIDATES_MAX) break;
  }
  return candidates;
}

async function removeAll(
  stores: Stores,
  candidates: readonly BlobId[],
  signal: AbortSignal,
): Promise<OrphansRemoved> {
  let [removed, looked] = [0, 0];
  let failure: StorageError | undefined;
  for (const id of candidates) {
    looked += 1;
    if (looked % BLOBS_AT_ONCE === 0) await stores.clock.sleep(BREATH_MS, signal);
    if (await isReferenced(stores, id)) continue;
    try {
      await stores.blobs.remove(id);
      removed += 1;
    } catch (cause) {
      if (!(cause instanceof StorageError)) throw cause;
      failure ??= cause;
    }
  }
  return { removed, failure };
}

async function isReferenced({ meta }: Stores, id: BlobId): Promise<boolean> {
  return (await meta.scan({ ...referenceSpan(id), limit: 1 })).length > 0;
}
