import { S3Error } from "#base/error.ts";
import type { Change } from "#meta/store.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { requireForWrite, type WriteConditions } from "#object/conditions.ts";
import type { KeyName } from "#object/engine.ts";
import type { Room } from "#object/usage.ts";
import {
  type KeyState,
  type NewVersion,
  planVersion,
  replacedSequence,
  validatorsOf,
} from "#versioned/plan.ts";
import { infoOf } from "#versioned/record.ts";
import {
  commitDecision,
  discarded,
  keyState,
  publicVersionId,
  type Stores,
} from "#versioned/store.ts";
import { type RoomAsk, requireRoom, type UsageChange } from "#versioned/usage.ts";

/** Parts of one commit that belong to what made the version: an upload that ends, a copy's source. */
export type Beside = Partial<Pick<Change, "guards" | "writes">> & {
  readonly usage?: readonly UsageChange[];
};

export interface MakeVersion {
  readonly version: NewVersion;
  readonly conditions: WriteConditions;
  /** The key as it was when the request began; conditions held then. */
  readonly before: KeyState;
  /** Without end when it is absent. */
  readonly room?: Room | undefined;
  /** Asked at each attempt. Throws when what it rests on is gone. */
  readonly beside?: (attempt: number) => Promise<Beside>;
}

/**
 * Makes a version the current one, in one guarded commit.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * Fails: ConditionalRequestConflict when another write came between and the conditions fail now.
 */
export async function makeVersion(
  stores: Stores,
  name: KeyName,
  { version, conditions, before, room, beside }: MakeVersion,
): Promise<ObjectInfo> {
  const { bucket, key } = name;
  const { sequence } = await commitDecision(stores, bucket, async (attempt) => {
    const extra = await beside?.(attempt);
    const state = attempt === 0 ? before : await keyState(stores, name);
    if (attempt > 0) {
      requireAfterRace(conditions, state, key);
      await requireRoom(stores.meta, bucket, { ...askOf(version), room });
    }
    const goes = replacedSequence(bucket, state.head);
    const replaced =
      goes === undefined
        ? undefined
        : await discarded(stores, name, { head: state.head, sequence: goes });
    const change = planVersion(name, state, {
      ...{ version, replaced, room, usage: extra?.usage },
      nowMs: stores.clock.now(),
    });
    return { change: merged(change, extra), outcome: undefined };
  });
  return infoOf(key, version.record, publicVersionId(bucket, { sequence, record: version.record }));
}

function askOf({ record }: NewVersion): Pick<RoomAsk, "storageClass" | "sizeBytes"> {
  return { storageClass: record.attributes.storageClass, sizeBytes: record.sizeBytes };
}

function requireAfterRace(conditions: WriteConditions, { head }: KeyState, key: string): void {
  try {
    requireForWrite(conditions, validatorsOf(head), key);
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause;
    throw new S3Error("ConditionalRequestConflict", { Key: key }, { cause });
  }
}

function merged(change: Change, extra: Beside | undefined): Change {
  if (extra === undefined) return change;
  return {
    guards: [...change.guards, ...(extra.guards ?? [])],
    writes: [...change.writes, ...(extra.writes ?? [])],
    adds: change.adds ?? [],
  };
}
