import { S3Error } from "#base/error.ts";
import type { Change } from "#meta/store.ts";
import type { ObjectInfo } from "#object/attributes.ts";
import { requireForWrite, type WriteConditions } from "#object/conditions.ts";
import type { KeyName } from "#object/engine.ts";
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

/** Parts of one commit that belong to what made the version: an upload that ends, a copy's source. */
export type Beside = Partial<Pick<Change, "guards" | "writes" | "adds">>;

export interface MakeVersion {
  readonly version: NewVersion;
  readonly conditions: WriteConditions;
  /** The key as it was when the request began; conditions held then. */
  readonly before: KeyState;
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
  { version, conditions, before, beside }: MakeVersion,
): Promise<ObjectInfo> {
  const { bucket, key } = name;
  const { sequence } = await commitDecision(stores, bucket, async (attempt) => {
    const extra = await beside?.(attempt);
    const state = attempt === 0 ? before : await keyState(stores, name);
    if (attempt > 0) requireAfterRace(conditions, state, key);
    const goes = replacedSequence(bucket, state.head);
    const replaced =
      goes === undefined
        ? undefined
        : await discarded(stores, name, { head: state.head, sequence: goes });
    const change = planVersion(name, state, { version, replaced, nowMs: stores.clock.now() });
    return { change: merged(change, extra), outcome: undefined };
  });
  return infoOf(key, version.record, publicVersionId(bucket, { sequence, record: version.record }));
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
    adds: [...(change.adds ?? []), ...(extra.adds ?? [])],
  };
}
