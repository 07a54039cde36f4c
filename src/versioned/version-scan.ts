import { type PackedBytes, PackedEntries } from "#meta/packed.ts";
import type { KeepBytes, KeyRange, LeaveOut, MetaStore } from "#meta/store.ts";
import type { ListedVersion } from "#object/engine.ts";
import { ClosedKeys } from "#versioned/closed-keys.ts";
import { CurrentVersions } from "#versioned/current-versions.ts";
import { HeadBatch } from "#versioned/head-batch.ts";
import { afterKey, closedSpan, headKey, headSpan, VERSION_CLOSE_BYTES } from "#versioned/keys.ts";
import { versionStartBytes } from "#versioned/record.ts";
import type { RollUp } from "#versioned/roll-up.ts";
import { type IsLatest, VersionBatch } from "#versioned/version-batch.ts";
import type { Batch } from "#versioned/walk.ts";

/** So many records that nobody needs are read in no more time than it takes to seek behind them. */
const GAP_MAX = 1;

interface Asked {
  readonly bucketId: string;
  /** Common prefixes, of versions' keys and of heads. */
  readonly rollUps: readonly [RollUp | undefined, RollUp | undefined];
  readonly isLatest: IsLatest;
}

/** Versions that follow one another. */
interface Run {
  readonly first: number;
  readonly last: number;
}

/**
 * The versions of a bucket, a batch at a time: their keys first, then the heads of these, and the records of
 * those alone that are not current. A record holds the bytes of a small object, which no list wants.
 */
export class VersionScan {
  readonly #meta: MetaStore;
  readonly #asked: Asked;
  /** What stands before the object key, in the keys of versions and, as long, in those of heads. */
  readonly #stem: Buffer;
  readonly #headStem: Buffer;
  readonly #leaveOut: LeaveOut | undefined;
  readonly #leaveOutHeads: LeaveOut | undefined;

  constructor(meta: MetaStore, asked: Asked) {
    const [ofVersions, ofHeads] = asked.rollUps;
    this.#meta = meta;
    this.#asked = asked;
    this.#stem = closedSpan("v", asked.bucketId, "").from;
    this.#headStem = headSpan(asked.bucketId, "").from;
    this.#leaveOut = ofVersions?.leavingOut();
    this.#leaveOutHeads = ofHeads?.leavingOut();
  }

  async batch(range: KeyRange): Promise<Batch<ListedVersion>> {
    const [keyFrom, leaveOut] = [this.#stem.length, this.#leaveOut];
    const { keys } = await this.#meta.scanPacked({ ...range, keyFrom, leaveOut, keysOnly: true });
    const current = await this.#currentOf(keys);
    const records: (Uint8Array | undefined)[] = [];
    for (const run of this.#runsOf(current)) {
      const found = await this.#recordsOf(current, run);
      // One is gone, or another came between: rather all of them as they are at one moment.
      if (found === undefined) return await this.#atOnce(range);
      for (let at = 0; at < found.count; at += 1) records[run.first + at] = found.sliceOf(at);
    }
    return new VersionBatch(current, (index) => records[index], this.#asked.isLatest);
  }

  async #atOnce(range: KeyRange): Promise<Batch<ListedVersion>> {
    const { keys, values } = await this.#scanRecords(range, versionStartBytes);
    const current = await this.#currentOf(keys);
    return new VersionBatch(current, (index) => values.sliceOf(index), this.#asked.isLatest);
  }

  async #scanRecords(range: KeyRange, keepBytes: KeepBytes): Promise<PackedEntries> {
    const [keyFrom, leaveOut] = [this.#stem.length, this.#leaveOut];
    return await this.#meta.scanPacked({ ...range, keyFrom, leaveOut, keepBytes });
  }

  /** Others write meanwhile: some heads may be missing, and some may be of later versions. */
  async #currentOf(packed: PackedBytes): Promise<CurrentVersions> {
    const keys = new ClosedKeys(packed, { stem: this.#stem, closeBytes: VERSION_CLOSE_BYTES });
    let [first, last] = [0, packed.count - 1];
    while (first <= last && this.#isRolledUp(packed, first)) first += 1;
    while (first <= last && this.#isRolledUp(packed, last)) last -= 1;
    const limit = last - first + 1;
    return new CurrentVersions(
      keys,
      new HeadBatch(
        limit === 0 ? new PackedEntries(0) : await this.#scanHeads(keys, { first, last }),
        this.#headStem,
      ),
    );
  }

  async #scanHeads(keys: ClosedKeys, { first, last }: Run): Promise<PackedEntries> {
    const keyAt = (index: number) => headKey(this.#asked.bucketId, keys.keyOf(index));
    const range = { from: keyAt(first), to: afterKey(keyAt(last)), limit: last - first + 1 };
    const [keyFrom, leaveOut] = [this.#headStem.length, this.#leaveOutHeads];
    return await this.#meta.scanPacked({ ...range, keyFrom, leaveOut });
  }

  /** Of versions whose records are needed. */
  #runsOf(current: CurrentVersions): Run[] {
    const { packed } = current.keys;
    const runs: Run[] = [];
    for (let index = 0; index < packed.count; index += 1) {
      if (current.has(index) || this.#isRolledUp(packed, index)) continue;
      const run = runs.at(-1);
      const isNear = run !== undefined && index - run.last <= GAP_MAX + 1;
      if (isNear) runs[runs.length - 1] = { first: run.first, last: index };
      else runs.push({ first: index, last: index });
    }
    return runs;
  }

  /** undefined when they are not those that were there. */
  async #recordsOf(
    current: CurrentVersions,
    { first, last }: Run,
  ): Promise<PackedBytes | undefined> {
    const { keys } = current;
    const limit = last - first + 1;
    const range = { from: keys.storeKeyOf(first), to: afterKey(keys.storeKeyOf(last)), limit };
    let index = first - 1;
    const found = await this.#scanRecords(range, (value) => {
      index += 1;
      return current.has(index) ? 0 : versionStartBytes(value);
    });
    const { bytes } = keys.packed;
    const expected = bytes.subarray(keys.packed.startOf(first), keys.packed.endOf(last));
    const isSame = found.keys.count === limit && found.keys.bytes.equals(expected);
    return isSame ? found.values : undefined;
  }

  #isRolledUp(packed: PackedBytes, index: number): boolean {
    const [ofVersions] = this.#asked.rollUps;
    return ofVersions !== undefined && ofVersions.bytesOf(packed, index) > 0;
  }
}
