import type { ListedVersion } from "#object/engine.ts";
import type { CurrentVersions } from "#versioned/current-versions.ts";
import { listedOf, type ShownHead } from "#versioned/head.ts";
import { headOf } from "#versioned/plan.ts";
import { unpackVersionStart, versionIdOf } from "#versioned/record.ts";
import type { Batch } from "#versioned/walk.ts";

/** Whether a version, asked for in the order of the list, is the newest of its key. */
export type IsLatest = (key: string, sequence: number) => boolean;

/** Where the first bytes of a version's record are. */
export type RecordAt = (index: number) => Uint8Array | undefined;

/** Versions of which those that are current are read off their heads, and others off their records. */
export class VersionBatch implements Batch<ListedVersion> {
  readonly #current: CurrentVersions;
  readonly #recordAt: RecordAt;
  readonly #isLatest: IsLatest;

  constructor(current: CurrentVersions, recordAt: RecordAt, isLatest: IsLatest) {
    this.#current = current;
    this.#recordAt = recordAt;
    this.#isLatest = isLatest;
  }

  get count(): number {
    return this.#current.keys.count;
  }

  keyOf(index: number): string {
    return this.#current.keyOf(index);
  }

  isShown(): boolean {
    return true;
  }

  /** Fails: StorageError "corrupt". */
  read(index: number, key: string): ListedVersion {
    const sequence = this.#current.keys.stampOf(index);
    const { object, isNull, deleteMarker } = this.#current.has(index)
      ? this.#current.shown(index, key)
      : shownRecord(this.#recordAt(index) ?? NOTHING, key);
    const place = versionIdOf(sequence, false);
    const versionId = isNull ? versionIdOf(sequence, true) : place;
    return { ...object, versionId, isLatest: this.#isLatest(key, sequence), deleteMarker, place };
  }

  storeKeyOf(index: number): Buffer {
    return this.#current.keys.storeKeyOf(index);
  }
}

const NOTHING = new Uint8Array(0);

function shownRecord(start: Uint8Array, key: string): ShownHead {
  const head = headOf(unpackVersionStart(start), { sequence: 0, nullSequence: undefined });
  return { object: listedOf(key, head), isNull: head.isNull, deleteMarker: head.deleteMarker };
}
