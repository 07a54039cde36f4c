import { asBuffer } from "#base/bytes.ts";
import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import { PackedBytes, PackedEntries } from "#meta/packed.ts";
import type { KeyRange, MetaStore } from "#meta/store.ts";
import type { ListedVersion } from "#object/engine.ts";
import { EntryBatch } from "#versioned/entry-batch.ts";
import { listedOf, type ShownHead } from "#versioned/head.ts";
import { HeadBatch } from "#versioned/head-batch.ts";
import {
  afterKey,
  closedSpan,
  headKey,
  headSpan,
  openClosedKey,
  VERSION_CLOSE_BYTES,
} from "#versioned/keys.ts";
import { headOf } from "#versioned/plan.ts";
import { unpackVersion, versionIdOf } from "#versioned/record.ts";
import type { Batch } from "#versioned/walk.ts";

/** Records above this are cheaper each by itself than packed together. */
const PACKED_BYTES_MAX = 1_024;
/** So few records are read in no more time than it takes to find their heads. */
const FEW = 4;

/** Whether a version, asked for in the order of the list, is the newest of its key. */
type IsLatest = (key: string, sequence: number) => boolean;

/** Versions as they are stored, the bytes of small objects among it. */
interface Stored {
  /** From the object key on. */
  readonly keys: PackedBytes;
  readonly recordOf: (index: number) => Uint8Array;
}

/**
 * The versions of a bucket, a batch at a time. Those that are current are read off their heads, which have
 * all that a list shows at a fraction of a record's cost.
 */
export class VersionScan {
  readonly #meta: MetaStore;
  readonly #bucketId: string;
  readonly #isLatest: IsLatest;
  /** What stands before the object key, in the keys of versions and, as long, in those of heads. */
  readonly #stem: Buffer;
  readonly #headStem: Buffer;
  /** Of the records that were read last, on average. */
  #recordBytes = 0;

  constructor(meta: MetaStore, bucketId: string, isLatest: IsLatest) {
    this.#meta = meta;
    this.#bucketId = bucketId;
    this.#isLatest = isLatest;
    this.#stem = closedSpan("v", bucketId, "").from;
    this.#headStem = headSpan(bucketId, "").from;
  }

  async batch(range: KeyRange): Promise<Batch<ListedVersion>> {
    if (range.limit <= FEW) return await this.#few(range);
    const isLarge = this.#recordBytes > PACKED_BYTES_MAX;
    const stored = isLarge ? await this.#each(range) : await this.#packed(range);
    const heads = await this.#headsOf(stored.keys);
    return new VersionBatch({ ...stored, stem: this.#stem, heads, isLatest: this.#isLatest });
  }

  async #few(range: KeyRange): Promise<Batch<ListedVersion>> {
    return new EntryBatch(await this.#meta.scan(range), ({ key: bytes, value }, key) => {
      const place = { key, sequence: readStamp(asBuffer(bytes), bytes.length - STAMP_BYTES) };
      return listedVersion(shownRecord(value, place), place, this.#isLatest);
    });
  }

  async #packed(range: KeyRange): Promise<Stored> {
    const keyFrom = this.#stem.length;
    const { keys, values } = await this.#meta.scanPacked({ ...range, keyFrom });
    this.#recordBytes = values.bytes.length / values.count;
    const recordOf = (index: number) =>
      values.bytes.subarray(values.startOf(index), values.endOf(index));
    return { keys, recordOf };
  }

  async #each(range: KeyRange): Promise<Stored> {
    const entries = await this.#meta.scan(range);
    const keys = new PackedBytes(entries.length);
    for (const { key } of entries) keys.add(key, this.#stem.length, key.length);
    const sizeBytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    this.#recordBytes = sizeBytes / entries.length;
    return { keys, recordOf: (index) => entries[index]?.value ?? new Uint8Array(0) };
  }

  /** Others write meanwhile: some may be missing, and some may be of later versions. */
  async #headsOf(keys: PackedBytes): Promise<HeadBatch> {
    const stem = this.#headStem;
    const limit = keys.count;
    if (limit === 0) return new HeadBatch(new PackedEntries(0), stem);
    const keyAt = (index: number) => {
      const bytes = keys.bytes.subarray(keys.startOf(index), keys.endOf(index));
      return headKey(this.#bucketId, openClosedKey(Buffer.concat([stem, bytes])).key);
    };
    const [from, to] = [keyAt(0), afterKey(keyAt(limit - 1))];
    const entries = await this.#meta.scanPacked({ from, to, limit, keyFrom: stem.length });
    return new HeadBatch(entries, stem);
  }
}

interface VersionBatchParts extends Stored {
  readonly stem: Buffer;
  readonly heads: HeadBatch;
  readonly isLatest: IsLatest;
}

class VersionBatch implements Batch<ListedVersion> {
  readonly #parts: VersionBatchParts;
  /** By version: where the head of its key is, -1 for nowhere. */
  readonly #headAt: Int32Array;

  constructor(parts: VersionBatchParts) {
    this.#parts = parts;
    this.#headAt = parts.heads.positionsOf(parts.keys, VERSION_CLOSE_BYTES);
  }

  get count(): number {
    return this.#parts.keys.count;
  }

  keyOf(index: number): string {
    const at = this.#headAt[index] ?? -1;
    return at < 0 ? openClosedKey(this.storeKeyOf(index)).key : this.#parts.heads.keyOf(at);
  }

  /** Fails: StorageError "corrupt". */
  read(index: number, key: string): ListedVersion {
    const { keys, heads, recordOf, isLatest } = this.#parts;
    const sequence = readStamp(keys.bytes, keys.endOf(index) - STAMP_BYTES);
    const place = { key, sequence };
    const at = this.#headAt[index] ?? -1;
    // What is shown of a version never changes: its head may have been read later than its key.
    const isCurrent = at >= 0 && heads.sequenceOf(at) === sequence;
    const shown = isCurrent ? heads.shown(at, key) : shownRecord(recordOf(index), place);
    return listedVersion(shown, place, isLatest);
  }

  storeKeyOf(index: number): Buffer {
    const { keys, stem } = this.#parts;
    const key = keys.bytes.subarray(keys.startOf(index), keys.endOf(index));
    return Buffer.concat([stem, key]);
  }
}

interface Place {
  readonly key: string;
  readonly sequence: number;
}

function shownRecord(value: Uint8Array, { key, sequence }: Place): ShownHead {
  const head = headOf(unpackVersion(value).record, { sequence, nullSequence: undefined });
  return { object: listedOf(key, head), isNull: head.isNull, deleteMarker: head.deleteMarker };
}

function listedVersion(
  { object, isNull, deleteMarker }: ShownHead,
  { key, sequence }: Place,
  isLatest: IsLatest,
): ListedVersion {
  const place = versionIdOf(sequence, false);
  const versionId = isNull ? versionIdOf(sequence, true) : place;
  return { ...object, versionId, isLatest: isLatest(key, sequence), deleteMarker, place };
}
