import type { Soon } from "#base/soon.ts";
import type { PackedEntries } from "#meta/packed.ts";

/**
 * An ordered map of bytes with one way to change it: commit, which applies every write or none.
 *
 * The laws, proved for each implementation by test/contract/meta-store.ts:
 *  1. Keys sort by their bytes, never as JavaScript strings.
 *  2. A commit whose guards all hold is atomic, and durable before the promise resolves.
 *  3. A commit with a stale guard changes nothing and resolves to undefined.
 *  4. `get` and `scan` see every commit that resolved, in any process, before the call began.
 *  5. Each applied commit has a sequence, greater than that of every commit applied before it;
 *     an entry's revision is the sequence of the commit that wrote it, so none is ever reused.
 *  6. `adds` to one counter never conflict with each other, and are applied exactly once; one that would
 *     go over its bound is as a stale guard.
 *  7. A snapshot shows what every commit before it left, and nothing of any commit after it.
 *  8. The revision of SELDOM_KEY is that of the last commit that wrote a seldom key (see meta/seldom.ts).
 */
export interface MetaStore extends MetaView, AsyncDisposable {
  /**
   * Resolves to the commit's sequence, or to undefined when a guard was stale.
   * Fails: StorageError "full" (nothing was applied), "unavailable" (the outcome is unknown).
   */
  commit(change: Change): Promise<number | undefined>;

  /**
   * The map as it is now, for as long as it is read: what is deleted meanwhile takes its space until the
   * snapshot is disposed of.
   */
  snapshot(): Snapshot;

  /**
   * As a scan in key order, for lists of many small entries: nothing is made for each of them. What is
   * left out costs a seek at the most, however much it is.
   */
  scanPacked(range: PackedRange): Promise<PackedEntries>;
}

/** What can be read. */
export interface MetaView {
  get(key: Uint8Array): Soon<Entry | undefined>;

  /** Entries with `from <= key < to`, in key order or the reverse. One consistent view. */
  scan(range: KeyRange): Promise<Entry[]>;
}

export interface Snapshot extends MetaView, Disposable {}

export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** How many entries at most. */
  readonly limit: number;
  readonly reverse?: boolean;
}

export interface PackedRange extends Omit<KeyRange, "reverse"> {
  /** As many bytes of each key are left out, from its beginning, which is that of all; none is shorter. */
  readonly keyFrom: number;
  /** Values are not read, and stand there as empty. */
  readonly keysOnly?: boolean;
  readonly keepBytes?: KeepBytes;
  readonly leaveOut?: LeaveOut | undefined;
}

/**
 * Asked with the value of each entry that is added, in their order; it is good only until the answer: as many
 * of its first bytes are kept. It must neither read the store nor throw.
 */
export type KeepBytes = (value: Uint8Array) => number;

/**
 * Asked with each entry that was added: what begins with as many bytes of its key, as it is packed, is left
 * out from there on. 0 for nothing. It must not read the store.
 */
export type LeaveOut = (packed: PackedEntries) => number;

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly revision: number;
}

export interface Change {
  /** What must still be true. `revision: 0` demands that the key is absent. */
  readonly guards: readonly Guard[];
  readonly writes: readonly Write[];
  readonly adds?: readonly Add[];
}

export interface Guard {
  readonly key: Uint8Array;
  readonly revision: number;
}

export interface Write {
  readonly key: Uint8Array;
  /** undefined deletes. */
  readonly value: Uint8Array | undefined;
  /** What stands behind it in the entry: two parts of one value need not be copied together first. */
  readonly tail?: Uint8Array | undefined;
  /**
   * Offsets at which the commit's stamp (see `base/stamp.ts`) replaces the eight bytes there, so
   * that keys and values can carry an order that is known only at the commit.
   */
  readonly stampKeyAt?: number;
  readonly stampValueAt?: number;
}

/** Adds each amount to the counter at its index; a missing entry counts as zeros. */
export interface Add {
  readonly key: Uint8Array;
  readonly amounts: readonly number[];
  /** What must be true of the counter afterwards. A change has one add a key when it has bounds. */
  readonly bounds?: readonly Bound[] | undefined;
}

/** The amounts at these indexes come to `max` together at the most. */
export interface Bound {
  readonly indexes: readonly number[];
  readonly max: number;
}
