import { asBuffer } from "#base/bytes.ts";
import { StorageError } from "#base/error.ts";
import type { Guard } from "#meta/store.ts";
import { PART_NUMBER_MAX } from "#object/name.ts";
import { isHeld } from "#versioned/hold.ts";
import {
  afterKey,
  garbageIdOf,
  garbageKey,
  garbageSpan,
  laterGarbageSpan,
  manifestKey,
  partKey,
  referenceKey,
  referenceSpan,
} from "#versioned/keys.ts";
import {
  type GarbageRecord,
  type Manifest,
  type PartRecord,
  unpackJson,
} from "#versioned/record.ts";
import { TOKEN_MS } from "#versioned/rename.ts";
import type { Stores } from "#versioned/store.ts";
import { partCounter, scanParts } from "#versioned/uploads.ts";

/** How many entries one round takes, and how many records one commit deletes. */
const ENTRIES_MAX = 100;
const DELETIONS_MAX = 500;

const NOTHING: Collected = { entries: 0, blobs: 0 };

export interface Collected {
  readonly entries: number;
  readonly blobs: number;
  /** Why the first of those stays that cannot be worked off: what they name cannot be read, or removed. */
  readonly failure?: StorageError;
  /** Where the next round goes on when more may follow; what stays is looked at when that has come to the end. */
  readonly next?: Uint8Array;
}

export interface GarbageAsk {
  /** Only what was discarded before. */
  readonly beforeMs: number;
  /** What the round before told. */
  readonly after?: Uint8Array | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Throws away, once, what was discarded before `beforeMs`: references, then blobs that no reference
 * is left of, then records, then the entry itself. A crash between any two steps repeats them.
 * Returns zero entries when there is nothing to do, or while somebody holds what there is. An entry that cannot
 * be worked off keeps no other waiting.
 */
export async function collectGarbage(
  stores: Stores,
  { beforeMs, after, signal }: GarbageAsk,
): Promise<Collected> {
  const { from, to } = garbageSpan(beforeMs);
  const start = after === undefined ? from : afterKey(asBuffer(after));
  const entries = await stores.meta.scan({ from: start, to, limit: ENTRIES_MAX });
  // Asked after the entries were read: what they throw away was not held when a later hold was taken.
  if (entries.length > 0 && (await isHeld(stores.meta, stores.clock.now()))) return NOTHING;
  let [done, blobs] = [0, 0];
  let failure: StorageError | undefined;
  for (const { key, value } of entries) {
    if (signal?.aborted === true) break;
    const removed = await collectOrLeave(stores, readEntry(key, value));
    if (removed instanceof StorageError) failure ??= removed;
    if (typeof removed !== "number") continue;
    await stores.meta.commit({ guards: [], writes: [{ key, value: undefined }] });
    done += 1;
    blobs += removed;
  }
  const last = entries.length < ENTRIES_MAX ? undefined : entries.at(-1);
  return {
    ...{ entries: done, blobs },
    ...(failure === undefined ? {} : { failure }),
    ...(last === undefined ? {} : { next: last.key }),
  };
}

/**
 * Garbage of a time that lies further ahead than any that is written now is of a clock that was set back since:
 * it waits as long as the latest, and no longer.
 */
export async function hastenGarbage({ meta, clock }: Stores): Promise<void> {
  const latestMs = clock.now() + TOKEN_MS;
  const entries = await meta.scan({ ...laterGarbageSpan(latestMs), limit: ENTRIES_MAX });
  for (const { key, value, revision } of entries) {
    const writes = [
      { key, value: undefined },
      { key: garbageKey(latestMs, garbageIdOf(key)), value },
    ];
    await meta.commit({ guards: [{ key, revision }], writes });
  }
}

/** Fails: StorageError "corrupt", from which its reader knows what to do. */
function readEntry(key: Uint8Array, value: Uint8Array): GarbageRecord {
  try {
    return unpackJson<GarbageRecord>(value);
  } catch (cause) {
    const name = asBuffer(key).toString("hex");
    const message = `the garbage entry ${name} cannot be read, and until it is gone nothing later is thrown away: "lode check --online --repair" removes it`;
    throw new StorageError("corrupt", message, cause);
  }
}

/** As collect. What cannot be worked off stays, and keeps no other waiting. */
async function collectOrLeave(
  stores: Stores,
  record: GarbageRecord,
): Promise<number | undefined | StorageError> {
  try {
    return await collect(stores, record);
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    const message = `the garbage of content ${record.contentId} stays: ${cause.message}`;
    return new StorageError(cause.kind, message, cause);
  }
}

/** How many blobs went; undefined when the entry must wait for another round. */
async function collect(stores: Stores, record: GarbageRecord): Promise<number | undefined> {
  const { contentId } = record;
  const manifest = record.manifest === true ? await readManifest(stores, contentId) : [];
  const parts =
    record.parts === undefined
      ? []
      : await scanParts(stores, contentId, { afterNumber: 0, limit: PART_NUMBER_MAX });
  const dead = [
    ...record.blobs,
    ...blobsOf(manifest),
    ...(record.parts === "all" ? blobsOf(parts) : []),
  ];
  const { held, guard } = await stillHeld(stores, record);
  const blobs = [...new Set(dead)].filter((blob) => !held.has(blob));
  if (!(await dropReferences(stores, { contentId, blobs, guard }))) return undefined;
  let removed = 0;
  for (const blob of blobs) removed += await removeUnreferenced(stores, blob);
  const records = parts.map(({ number }) => partKey(contentId, number));
  if (record.manifest === true) records.push(manifestKey(contentId));
  for (const key of record.records ?? []) records.push(Buffer.from(key, "hex"));
  await deleteRecords(stores, records);
  return removed;
}

/** An overwritten part may share a blob with a part, or with the version, of the same upload. */
async function stillHeld(
  stores: Stores,
  { contentId, unlessHeld }: GarbageRecord,
): Promise<{ readonly held: ReadonlySet<string>; readonly guard: readonly Guard[] }> {
  if (unlessHeld !== true) return { held: new Set(), guard: [] };
  const { guard } = await partCounter(stores, contentId);
  const parts = await scanParts(stores, contentId, { afterNumber: 0, limit: PART_NUMBER_MAX });
  const manifest = await readManifest(stores, contentId);
  return { held: new Set([...blobsOf(parts), ...blobsOf(manifest)]), guard: [guard] };
}

async function dropReferences(
  { meta }: Stores,
  ask: {
    readonly contentId: string;
    readonly blobs: readonly string[];
    readonly guard: readonly Guard[];
  },
): Promise<boolean> {
  for (let from = 0; from < ask.blobs.length; from += DELETIONS_MAX) {
    const writes = ask.blobs.slice(from, from + DELETIONS_MAX).map((blob) => ({
      key: referenceKey(blob, ask.contentId),
      value: undefined,
    }));
    if ((await meta.commit({ guards: ask.guard, writes })) === undefined) return false;
  }
  return true;
}

/** Only a holder can make a new holder, so a blob without one stays without one. */
async function removeUnreferenced({ meta, blobs }: Stores, blob: string): Promise<number> {
  const references = await meta.scan({ ...referenceSpan(blob), limit: 1 });
  if (references.length > 0) return 0;
  await blobs.remove(blob);
  return 1;
}

async function deleteRecords({ meta }: Stores, keys: readonly Buffer[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETIONS_MAX) {
    const writes = keys.slice(from, from + DELETIONS_MAX).map((key) => ({ key, value: undefined }));
    await meta.commit({ guards: [], writes });
  }
}

async function readManifest({ meta }: Stores, contentId: string): Promise<readonly PartRecord[]> {
  const entry = await meta.get(manifestKey(contentId));
  return entry === undefined ? [] : unpackJson<Manifest>(entry.value).parts;
}

function blobsOf(parts: readonly PartRecord[]): string[] {
  return parts.flatMap(({ extents }) => extents.map(({ blob }) => blob));
}
