import { S3Error } from "#base/error.ts";
import { unpackCounter } from "#meta/counter.ts";
import type { Add, Bound, MetaView } from "#meta/store.ts";
import { STORAGE_CLASSES, type StorageClass } from "#object/attributes.ts";
import type { Bucket } from "#object/bucket.ts";
import type { ClassUsage, Room, Usage } from "#object/usage.ts";
import { usageKey, zoneUsageKey } from "#versioned/keys.ts";

/** By how much a commit changes what is there of one class, and of what has no class. */
export interface UsageChange extends Partial<ClassUsage> {
  readonly storageClass: StorageClass;
  readonly deleteMarkers?: number;
  readonly uploads?: number;
}

/** Where each amount stands in a counter. What an older release wrote ends before the second class. */
const AT: Readonly<Record<StorageClass, Readonly<Record<keyof ClassUsage, number>>>> = {
  STANDARD: { versions: 0, bytes: 1, partBytes: 4 },
  STANDARD_IA: { versions: 5, bytes: 6, partBytes: 7 },
};
const DELETE_MARKERS_AT = 2;
const UPLOADS_AT = 3;
const COUNTED_AT = STORAGE_CLASSES.map((each) => [AT[each].bytes, AT[each].partBytes] as const);

/** The same for the bucket and for its organization in its zone: the two agree at every moment. */
export function addUsage(
  bucket: Pick<Bucket, "id" | "organizationId" | "region">,
  changes: readonly UsageChange[],
  room?: Room,
): readonly Add[] {
  const amounts = amountsOf(changes);
  const { zone, whole } = boundsOf(amounts, room);
  return [
    { key: usageKey(bucket.id), amounts, bounds: whole },
    { key: zoneUsageKey(bucket.organizationId, bucket.region), amounts, bounds: zone },
  ];
}

export function amountsOf(changes: readonly UsageChange[]): number[] {
  const amounts = [0, 0, 0, 0, 0, 0, 0, 0];
  const add = (at: number, amount = 0) => {
    amounts[at] = (amounts[at] ?? 0) + amount;
  };
  for (const { storageClass, ...change } of changes) {
    const at = AT[storageClass];
    add(at.versions, change.versions);
    add(at.bytes, change.bytes);
    add(at.partBytes, change.partBytes);
    add(DELETE_MARKERS_AT, change.deleteMarkers);
    add(UPLOADS_AT, change.uploads);
  }
  return amounts;
}

export function usageOf(amounts: readonly number[]): Usage {
  const of = (storageClass: StorageClass): ClassUsage => {
    const at = AT[storageClass];
    return {
      versions: amounts[at.versions] ?? 0,
      bytes: amounts[at.bytes] ?? 0,
      partBytes: amounts[at.partBytes] ?? 0,
    };
  };
  return {
    classes: { STANDARD: of("STANDARD"), STANDARD_IA: of("STANDARD_IA") },
    deleteMarkers: amounts[DELETE_MARKERS_AT] ?? 0,
    uploads: amounts[UPLOADS_AT] ?? 0,
  };
}

/** What a counter says; nothing where there is none. */
export async function readUsage(meta: MetaView, key: Uint8Array): Promise<Usage> {
  const entry = await meta.get(key);
  return usageOf(entry === undefined ? [] : unpackCounter(entry.value));
}

export interface RoomAsk {
  readonly storageClass: StorageClass;
  readonly sizeBytes: number;
  /** undefined: as much as there is; nothing is read then. */
  readonly room: Room | undefined;
}

/** Whether so many bytes still fit. Fails: AccountProblem. */
export async function requireRoom(
  meta: MetaView,
  bucket: Pick<Bucket, "id" | "organizationId" | "region">,
  { storageClass, sizeBytes, room }: RoomAsk,
): Promise<void> {
  if (room === undefined) return;
  const asked = amountsOf([{ storageClass, bytes: sizeBytes }]);
  const limits = [
    [zoneUsageKey(bucket.organizationId, bucket.region), zoneBound(storageClass, room)],
    [usageKey(bucket.id), bucketBound(room)],
  ] as const;
  for (const [key, bound] of limits) {
    if (bound === undefined) continue;
    const entry = await meta.get(key);
    const there = entry === undefined ? [] : unpackCounter(entry.value);
    if (countedIn(there, bound) + countedIn(asked, bound) > bound.max) {
      throw new S3Error("AccountProblem", {});
    }
  }
}

/** Of what does not grow there are none: who is over a limit that was lowered may still delete. */
function boundsOf(amounts: readonly number[], room: Room | undefined) {
  if (room === undefined) return { zone: undefined, whole: undefined };
  const grows = (bound: Bound) => countedIn(amounts, bound) > 0;
  const zone = STORAGE_CLASSES.flatMap((each) => zoneBound(each, room) ?? []);
  const whole = [bucketBound(room) ?? []].flat();
  return { zone: zone.filter(grows), whole: whole.filter(grows) };
}

function zoneBound(storageClass: StorageClass, { zoneBytesMax }: Room): Bound | undefined {
  const max = zoneBytesMax[storageClass];
  const { bytes, partBytes } = AT[storageClass];
  return max === undefined ? undefined : { indexes: [bytes, partBytes], max };
}

function bucketBound({ bucketBytesMax: max }: Room): Bound | undefined {
  return max === undefined ? undefined : { indexes: COUNTED_AT.flat(), max };
}

function countedIn(amounts: readonly number[], { indexes }: Bound): number {
  return indexes.reduce((sum, index) => sum + (amounts[index] ?? 0), 0);
}
