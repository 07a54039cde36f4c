import { S3Error } from "#base/error.ts";
import type { Change } from "#meta/store.ts";
import { requireForDelete } from "#object/conditions.ts";
import type { DeleteConditions, Deleted, KeyName, ObjectName } from "#object/engine.ts";
import type { Head } from "#versioned/head.ts";
import { versionKey, versionSpan } from "#versioned/keys.ts";
import {
  type KeyState,
  type NewVersion,
  planRemoval,
  planVersion,
  replacedSequence,
  validatorsOf,
} from "#versioned/plan.ts";
import { versionIdOf } from "#versioned/record.ts";
import {
  AGAIN,
  commitDecision,
  discarded,
  keyState,
  namedSequence,
  nextOlder,
  type Stores,
} from "#versioned/store.ts";

interface Decision {
  readonly change: Change | undefined;
  readonly outcome: Deleted;
}

const NOTHING: Decision = {
  change: undefined,
  outcome: { deleteMarker: false, versionId: undefined },
};

/** An MD5 of nothing: a marker has no bytes. */
const NO_MD5 = "00".repeat(16);

/**
 * Removes a version that is named, else removes the object where versions were never kept, else
 * lays a delete marker over it.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
 * Fails: PreconditionFailed; NoSuchKey for If-Match on a missing key.
 */
export async function deleteVersion(
  stores: Stores,
  name: ObjectName,
  conditions: DeleteConditions,
): Promise<Deleted> {
  const { sequence, outcome } = await commitDecision(stores, name.bucket, async (attempt) => {
    const state = await keyState(stores, name);
    requireConditions(conditions, state, { key: name.key, attempt });
    if (name.versionId !== undefined) {
      return await decideRemoval(stores, name, { ...state, conditions });
    }
    if (name.bucket.versioning === undefined) return await decideRemovalOfAll(stores, name, state);
    return await decideMarker(stores, name, state);
  });
  const madeMarker = sequence !== 0 && outcome.deleteMarker && outcome.versionId === undefined;
  return madeMarker ? { ...outcome, versionId: versionIdOf(sequence, false) } : outcome;
}

function requireConditions(
  conditions: DeleteConditions,
  { head }: KeyState,
  at: { readonly key: string; readonly attempt: number },
): void {
  const { modifiedMs } = conditions;
  if (modifiedMs !== undefined && head?.modifiedMs !== modifiedMs) {
    throw new S3Error("PreconditionFailed", { Condition: "modified" });
  }
  const current = validatorsOf(head);
  const sizeBytes = head?.sizeBytes ?? 0;
  try {
    requireForDelete(conditions, current && { ...current, sizeBytes }, at.key);
  } catch (cause) {
    if (at.attempt === 0 || !(cause instanceof S3Error)) throw cause;
    throw new S3Error("ConditionalRequestConflict", { Key: at.key }, { cause });
  }
}

async function decideRemoval(
  stores: Stores,
  name: ObjectName,
  { conditions, ...state }: KeyState & { readonly conditions: DeleteConditions },
): Promise<Decision | typeof AGAIN> {
  const { head } = state;
  const outcome = { deleteMarker: false, versionId: name.versionId };
  const sequence = namedSequence(name, head);
  if (head === undefined || sequence === undefined) return { change: undefined, outcome };
  const removed = await discarded(stores, name, { head, sequence });
  if (removed === undefined) {
    // There is one null version after the other; any other version is gone when it is not there.
    return name.versionId === "null" ? AGAIN : { change: undefined, outcome };
  }
  await requireNeighbours(stores, { ...name, sequence, head }, conditions);
  const next = sequence === head.sequence ? await nextOlder(stores, name, sequence) : undefined;
  const nowMs = stores.clock.now();
  const change = planRemoval(name, { ...state, head }, { removed, next, nowMs });
  return { change, outcome: { ...outcome, deleteMarker: removed.record.deleteMarker } };
}

/** The head is a guard of the commit, so that what holds here holds then. Fails: PreconditionFailed. */
async function requireNeighbours(
  stores: Stores,
  version: KeyName & { readonly sequence: number; readonly head: Head },
  { newerMin = 0, alone }: DeleteConditions,
): Promise<void> {
  const { sequence, head } = version;
  const isCurrent = head.sequence === sequence;
  const newer =
    isCurrent || newerMin < 2 ? Number(!isCurrent) : await countNewer(stores, version, newerMin);
  if (newer < newerMin) throw new S3Error("PreconditionFailed", { Condition: "newer versions" });
  if (alone !== true) return;
  if (!isCurrent || (await nextOlder(stores, version, sequence)) !== undefined) {
    throw new S3Error("PreconditionFailed", { Condition: "alone" });
  }
}

/** Stops at `max`. */
async function countNewer(
  { meta }: Stores,
  { bucket, key, sequence }: KeyName & { readonly sequence: number },
  max: number,
): Promise<number> {
  const { from } = versionSpan(bucket.id, key);
  const newer = await meta.scan({ from, to: versionKey(bucket.id, key, sequence), limit: max });
  return newer.length;
}

async function decideRemovalOfAll(
  stores: Stores,
  name: KeyName,
  state: KeyState,
): Promise<Decision | typeof AGAIN> {
  const { head } = state;
  if (head === undefined) return NOTHING;
  const removed = await discarded(stores, name, { head, sequence: head.sequence });
  if (removed === undefined) return AGAIN;
  const nowMs = stores.clock.now();
  const change = planRemoval(name, { ...state, head }, { removed, next: undefined, nowMs });
  return { change, outcome: NOTHING.outcome };
}

async function decideMarker(stores: Stores, name: KeyName, state: KeyState): Promise<Decision> {
  const { bucket } = name;
  const nowMs = stores.clock.now();
  const isNull = bucket.versioning !== "Enabled";
  const goes = replacedSequence(bucket, state.head);
  const replaced =
    goes === undefined
      ? undefined
      : await discarded(stores, name, { head: state.head, sequence: goes });
  const change = planVersion(name, state, { version: marker(isNull, nowMs), replaced, nowMs });
  return { change, outcome: { deleteMarker: true, versionId: isNull ? "null" : undefined } };
}

function marker(isNull: boolean, nowMs: number): NewVersion {
  return {
    record: {
      deleteMarker: true,
      isNull,
      sizeBytes: 0,
      md5: NO_MD5,
      partsCount: 0,
      modifiedMs: nowMs,
      attributes: { headers: {}, userMetadata: {}, tags: [], storageClass: "STANDARD" },
      checksum: undefined,
      content: { kind: "inline" },
    },
    inline: undefined,
    newReferences: [],
  };
}
