import { digestOf } from "#base/checksum.ts";
import { S3Error } from "#base/error.ts";
import { randomHex } from "#base/random.ts";
import { STAMP_BYTES } from "#base/stamp.ts";
import type { Change, Guard, Write } from "#meta/store.ts";
import { RENAME_SOURCE_NAMES, requireConditions, requireForRename } from "#object/conditions.ts";
import type { KeyName, Renamed, RenameInput } from "#object/engine.ts";
import { etagOf, HEAD_STAMP_AT, type Head, packHead } from "#versioned/head.ts";
import { garbageKey, headKey, ID_BYTES, renameTokenKey, versionKey } from "#versioned/keys.ts";
import {
  discardVersion,
  guardsOf,
  type KeyState,
  usageOfVersion,
  validatorsOf,
} from "#versioned/plan.ts";
import { packJson, packVersion, type RenameRecord, unpackJson } from "#versioned/record.ts";
import {
  AGAIN,
  commitDecision,
  discarded,
  type FoundVersion,
  keyState,
  loadVersion,
  type Stores,
} from "#versioned/store.ts";
import { addUsage } from "#versioned/usage.ts";

/** How long a client token answers for the rename it named: a day, and the time to clear it away. */
export const TOKEN_MS = 25 * 60 * 60 * 1_000;

/**
 * Moves an object to another key of its bucket: two heads and two records in one guarded commit,
 * whatever its size. All of it is kept, its time too; only its name changes.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RenameObject.html
 * Fails: InvalidBucketState, NoSuchKey, PreconditionFailed, IdempotencyParameterMismatch.
 */
export async function renameObject(
  stores: Stores,
  name: KeyName,
  input: RenameInput,
): Promise<Renamed> {
  const { bucket } = name;
  if (bucket.versioning !== undefined) {
    const message = "RenameObject is not supported in a bucket whose versioning is or was enabled.";
    throw new S3Error("InvalidBucketState", { BucketName: bucket.name }, { message });
  }
  const source: KeyName = { bucket, key: input.source };
  const { outcome } = await commitDecision(stores, bucket, async () => {
    const token = await findToken(stores, name, input);
    if (token?.done !== undefined) return { change: undefined, outcome: token.done };
    const from = await keyState(stores, source);
    const to = source.key === name.key ? from : await keyState(stores, name);
    const moved = await movable(stores, source, { state: from, input });
    if (moved === undefined) return AGAIN;
    requireForRename(input.conditions, validatorsOf(to.head));
    const etag = etagOf(moved.record);
    const change = await planRename(stores, { name, source, from, to, moved });
    const remembered = token === undefined ? NOTHING : rememberToken(stores, token, etag);
    return {
      change: {
        guards: [...change.guards, ...remembered.guards],
        writes: [...change.writes, ...remembered.writes],
        adds: change.adds ?? [],
      },
      outcome: { etag },
    };
  });
  return outcome;
}

const NOTHING = { guards: [], writes: [] } as const;

/** undefined when it has been replaced since. Fails: NoSuchKey, PreconditionFailed. */
async function movable(
  stores: Stores,
  source: KeyName,
  { state, input }: { readonly state: KeyState; readonly input: RenameInput },
): Promise<FoundVersion | undefined> {
  const { head } = state;
  if (head === undefined) throw new S3Error("NoSuchKey", { Key: source.key });
  const found = await loadVersion(stores, source, head.sequence);
  if (found === undefined) return undefined;
  const validators = { etag: etagOf(found.record), modifiedMs: found.record.modifiedMs };
  requireConditions(input.sourceConditions, validators, RENAME_SOURCE_NAMES);
  return found;
}

interface Move {
  readonly name: KeyName;
  readonly source: KeyName;
  readonly from: KeyState;
  readonly to: KeyState;
  readonly moved: FoundVersion;
}

async function planRename(
  stores: Stores,
  { name, source, from, to, moved }: Move,
): Promise<Pick<Change, "guards" | "writes" | "adds">> {
  const { bucket, key } = name;
  const { head } = from;
  // Unverified: AWS's answer to an object renamed to itself; here it succeeds and changes nothing.
  if (source.key === key || head === undefined) return { guards: guardsOf(name, to), writes: [] };
  const replaced =
    to.head === undefined
      ? undefined
      : await discarded(stores, name, { head: to.head, sequence: to.head.sequence });
  const nowMs = stores.clock.now();
  const gone = replaced === undefined ? [] : discardVersion(name, replaced, nowMs);
  const usage = replaced === undefined ? [] : [usageOfVersion(replaced.record, -1)];
  return {
    guards: [...guardsOf(name, to), ...guardsOf(source, from).slice(1)],
    writes: [...movedWrites({ name, source, moved, head }), ...gone],
    adds: addUsage(bucket, usage),
  };
}

function movedWrites({
  name,
  source,
  moved,
  head,
}: Pick<Move, "name" | "source" | "moved"> & { readonly head: Head }): Write[] {
  const { bucket, key } = name;
  const recordKey = versionKey(bucket.id, key);
  return [
    {
      key: headKey(bucket.id, key),
      value: packHead({ ...head, sequence: 0 }),
      stampValueAt: HEAD_STAMP_AT,
    },
    {
      key: recordKey,
      ...packVersion(moved.record, moved.inline),
      stampKeyAt: recordKey.length - STAMP_BYTES,
    },
    { key: headKey(bucket.id, source.key), value: undefined },
    { key: versionKey(bucket.id, source.key, moved.sequence), value: undefined },
  ];
}

interface Token {
  readonly key: Buffer;
  readonly fingerprint: string;
  /** The rename that it named has happened. */
  readonly done: Renamed | undefined;
}

/** Fails: IdempotencyParameterMismatch. */
async function findToken(
  { meta }: Stores,
  { bucket, key }: KeyName,
  input: RenameInput,
): Promise<Token | undefined> {
  if (input.token === undefined) return undefined;
  const { source, conditions, sourceConditions } = input;
  const parameters = JSON.stringify([key, source, conditions, sourceConditions]);
  const fingerprint = digestOf("SHA256", Buffer.from(parameters)).toString("hex");
  const recordKey = renameTokenKey(bucket.id, input.token);
  const entry = await meta.get(recordKey);
  if (entry === undefined) return { key: recordKey, fingerprint, done: undefined };
  const record = unpackJson<RenameRecord>(entry.value);
  if (record.fingerprint !== fingerprint) throw new S3Error("IdempotencyParameterMismatch", {});
  return { key: recordKey, fingerprint, done: { etag: record.etag } };
}

/** The record, and an entry that clears it away a day from now. */
function rememberToken(
  { clock }: Stores,
  { key, fingerprint }: Token,
  etag: string,
): { readonly guards: readonly Guard[]; readonly writes: readonly Write[] } {
  const garbage = { contentId: "", blobs: [], records: [key.toString("hex")] };
  const at = garbageKey(clock.now() + TOKEN_MS, randomHex(ID_BYTES));
  return {
    guards: [{ key, revision: 0 }],
    writes: [
      { key, value: packJson({ fingerprint, etag }) },
      { key: at, value: packJson(garbage) },
    ],
  };
}
