import { assert } from "#base/assert.ts";
import { asBuffer } from "#base/bytes.ts";
import { readStamp, STAMP_BYTES } from "#base/stamp.ts";
import type { BlobStore } from "#blob/store.ts";
import { BlobSums } from "#check/blob-sums.ts";
import { checkRecord } from "#check/contents.ts";
import { problemOfExtent } from "#check/extents.ts";
import type { ProblemKind } from "#check/problem.ts";
import { nameOf, partsIn, readUpload, readVersion, spanOf } from "#check/walk.ts";
import type { Entry, MetaView } from "#meta/store.ts";
import { unpackHead } from "#versioned/head.ts";
import { afterKey, keyOfHead, partNumberOf } from "#versioned/keys.ts";
import { type Extent, versionIdOf } from "#versioned/record.ts";

/** How far a scrub is. Only what JSON can carry, for it is remembered. */
export interface ScrubPlace {
  /** In hex: all records before this key are done. */
  readonly from: string;
  /**
   * Of the record with this key: 1 when a version itself is done, and 1 more for each of its extents; the number of the last
   * part of an upload.
   */
  readonly done: number;
}

export const SCRUB_START: ScrubPlace = { from: "", done: 0 };

/** What a scrub can find, as it is said of one object. */
export const DAMAGE_KINDS = {
  "unreadable-record": "its record cannot be read",
  "size-wrong": "its record or its parts do not come to its size",
  "manifest-missing": "the list of its parts is lost",
  "blob-missing": "a blob of it is lost",
  "blob-size": "a blob of it has another size than was written",
  "blob-damaged": "a blob of it is not what was written: a CRC32 differs",
  "blob-unreadable": "the disk does not give a blob of it",
  "inline-damaged": "the MD5 of its bytes is not the one that was written",
} as const satisfies Partial<Record<ProblemKind, string>>;

type DamageKind = keyof typeof DAMAGE_KINDS;

/** Something stored that is not what was written. */
export interface Damage {
  readonly kind: DamageKind;
  readonly bucketId: string;
  readonly key: string;
  /** As clients name it; of a version that cannot be read, as it would be if it is not the null version. */
  readonly versionId?: string | undefined;
  readonly uploadId?: string | undefined;
  readonly blob?: string | undefined;
}

export interface Scrubbed {
  /** Heads, versions, uploads and parts. */
  readonly records: number;
  readonly blobs: number;
  /** Of blobs and of records. */
  readonly bytes: number;
}

export interface ScrubOptions {
  readonly meta: MetaView;
  readonly blobs: BlobStore;
  /** Rests as long as it takes until so many more bytes are within the rate. */
  readonly spend: (bytes: number) => Promise<void>;
  /** Told after each little while; false ends the scrub there. */
  readonly goesOn: (place: ScrubPlace, scrubbed: Scrubbed) => Promise<boolean>;
  readonly found: (damage: Damage) => Promise<void>;
}

/** Heads, so that names lead to something; uploads; versions, of which some were uploads until now. */
const LETTERS = ["o", "u", "v"] as const;
/** Versions carry bodies of up to 64 KiB, and a page of the store is read without a pause. */
const PAGE = 16;
/** A record is as much work as so many bytes of a blob, and so is looking for a blob. */
const RECORD_BYTES_MIN = 4_096;
/** What changes each time that it is looked at is whole enough to be changed. */
const LOOKS_MAX = 3;

/** Ends a scrub at any depth. */
class Ended extends Error {}

/**
 * Reads every object, part and head again, in the order of their keys and one blob at a time, from `from` to the end, and
 * tells what is damaged. It looks at the stores as they are at each moment; what was changed or deleted since it
 * was read is looked at again, or left. Nothing is changed, whatever it finds. It does not fail: it says why it ended.
 */
export async function scrub(options: ScrubOptions, from: ScrubPlace): Promise<ScrubEnd> {
  const walk = new Walk(options, from);
  let [isWhole, failure]: [boolean, unknown] = [false, undefined];
  try {
    await walk.toTheEnd();
    isWhole = true;
  } catch (cause) {
    if (!(cause instanceof Ended)) failure = cause;
  }
  return { isWhole, failure, place: walk.place, scrubbed: walk.scrubbed };
}

/** How a scrub ended. */
interface ScrubEnd {
  /** Everything was read. */
  readonly isWhole: boolean;
  /** Why it ended before, but by goesOn. */
  readonly failure: unknown;
  /** All before it is done, however it ended. */
  readonly place: ScrubPlace;
  readonly scrubbed: Scrubbed;
}

class Walk {
  readonly #options: ScrubOptions;
  readonly #sums: BlobSums;
  #records = 0;
  #recordBytes = 0;
  place: ScrubPlace;

  constructor(options: ScrubOptions, place: ScrubPlace) {
    const { meta, blobs } = options;
    this.#options = options;
    this.#sums = new BlobSums({ meta, blobs, spent: async (bytes) => await this.#spent(bytes) });
    this.place = place;
  }

  get scrubbed(): Scrubbed {
    const { blobs, bytes } = this.#sums.counts;
    return { records: this.#records, blobs, bytes: this.#recordBytes + bytes };
  }

  async toTheEnd(): Promise<void> {
    const { meta } = this.#options;
    for (const letter of LETTERS) {
      const { from, to } = spanOf(letter);
      for (let page: Entry[] | undefined; page === undefined || page.length === PAGE; ) {
        const reached = Buffer.from(this.place.from, "hex");
        const range = { from: Buffer.compare(reached, from) > 0 ? reached : from, to };
        if (Buffer.compare(range.from, to) >= 0) break;
        page = await meta.scan({ ...range, limit: PAGE });
        for (const entry of page) await this.#record(letter, entry);
      }
    }
  }

  async #record(letter: (typeof LETTERS)[number], entry: Entry): Promise<void> {
    const key = asBuffer(entry.key);
    const from = key.toString("hex");
    if (this.place.from !== from) this.place = { from, done: 0 };
    await this.#read(entry);
    if (letter === "o") await this.#head(entry);
    else if (letter === "u") await this.#upload(entry);
    else await this.#version(entry);
    this.place = { from: afterKey(key).toString("hex"), done: 0 };
  }

  async #head(entry: Entry): Promise<void> {
    const isWhole = ({ value }: Entry) => succeeds(() => unpackHead(value));
    if (isWhole(entry)) return;
    const now = await this.#options.meta.get(entry.key);
    if (now === undefined || isWhole(now)) return;
    const key = asBuffer(entry.key);
    await this.#options.found({
      kind: "unreadable-record",
      bucketId: key.toString("hex", 1, 9),
      key: keyOfHead(key),
    });
  }

  async #version(first: Entry): Promise<void> {
    const { meta } = this.#options;
    let entry = first;
    for (let look = 1; ; look += 1) {
      const { extents, kinds } = await this.#contentOf(entry);
      const now = kinds.length === 0 ? entry : await meta.get(entry.key);
      if (now === undefined) return;
      if (now.revision === entry.revision || look === LOOKS_MAX) {
        await this.#judged(entry, kinds);
        const isThere = async () => (await meta.get(entry.key)) !== undefined;
        await this.#extents(extents, { name: () => nameOfVersion(entry), isThere, isPlace: true });
        return;
      }
      // Other tags, or it was mended.
      entry = now;
    }
  }

  /** Tells of it once, also when the scrub ends among the extents and goes on from there. */
  async #judged(entry: Entry, kinds: readonly DamageKind[]): Promise<void> {
    if (this.place.done > 0) return;
    for (const kind of kinds) await this.#options.found({ kind, ...nameOfVersion(entry) });
    this.place = { ...this.place, done: 1 };
  }

  /** What it is made of, and what is wrong with what the metadata say of it. */
  async #contentOf(
    entry: Entry,
  ): Promise<{ readonly extents: readonly Extent[]; readonly kinds: readonly DamageKind[] }> {
    const version = readVersion(entry);
    if (!("value" in version)) return { extents: [], kinds: ["unreadable-record"] };
    const kinds: DamageKind[] = [];
    const found = {
      problem: async ({ kind }: { readonly kind: ProblemKind }) => {
        assert(isDamage(kind), "of what a record alone tells, all is damage");
        kinds.push(kind);
      },
    };
    const run = { view: this.#options.meta, found, checksums: true };
    return { extents: await checkRecord(run, version.value), kinds };
  }

  async #upload(entry: Entry): Promise<void> {
    const { meta, found } = this.#options;
    const isOpen = async () => (await meta.get(entry.key)) !== undefined;
    const upload = readUpload(entry);
    const name = nameOfUpload(entry);
    if (!("value" in upload)) {
      // It is written once.
      if (await isOpen()) await found({ kind: "unreadable-record", ...name });
      return;
    }
    for await (const part of partsIn(meta, upload.value.uploadId)) {
      const number = partNumberOf(part.entry.key);
      if (number <= this.place.done) continue;
      await this.#read(part.entry);
      // A part that was sent again, and the parts of an upload that ended, leave blobs behind.
      const isThere = async () =>
        (await isOpen()) && (await meta.get(part.entry.key))?.revision === part.entry.revision;
      if ("value" in part) {
        await this.#extents(part.value.extents, { name: () => name, isThere, isPlace: false });
      } else if (await isThere()) await found({ kind: "unreadable-record", ...name });
      this.place = { ...this.place, done: number };
    }
  }

  async #extents(extents: readonly Extent[], of: Extended): Promise<void> {
    for (const [at, extent] of extents.entries()) {
      if (of.isPlace && at + 1 < this.place.done) continue;
      await this.#spent(RECORD_BYTES_MIN);
      const problem = await problemOfExtent(this.#options.blobs, extent);
      const kind = problem?.kind ?? (await this.#sums.damageOf(extent));
      if (kind !== undefined) {
        if (!(await of.isThere())) return;
        await this.#options.found({ kind, ...of.name(), blob: extent.blob });
      }
      if (of.isPlace) this.place = { ...this.place, done: at + 2 };
    }
  }

  async #read({ key, value }: Entry): Promise<void> {
    const bytes = key.length + value.length;
    this.#records += 1;
    this.#recordBytes += bytes;
    await this.#spent(Math.max(bytes, RECORD_BYTES_MIN));
  }

  async #spent(bytes: number): Promise<void> {
    const { spend, goesOn } = this.#options;
    await spend(bytes);
    if (!(await goesOn(this.place, this.scrubbed))) throw new Ended();
  }
}

/** Whoever has extents. */
interface Extended {
  readonly name: () => Omit<Damage, "kind" | "blob">;
  /** By now. What was deleted may have taken its blobs along. */
  readonly isThere: () => Promise<boolean>;
  /** The place tells how many of them are done. */
  readonly isPlace: boolean;
}

function nameOfVersion(entry: Entry): Omit<Damage, "kind"> {
  const version = readVersion(entry);
  if ("value" in version) {
    const { bucketId, key, sequence, record } = version.value;
    return { bucketId, key, versionId: versionIdOf(sequence, record.isNull) };
  }
  const key = asBuffer(entry.key);
  const sequence = readStamp(key, key.length - STAMP_BYTES);
  return { ...nameOfKey(entry), versionId: versionIdOf(sequence, false) };
}

function nameOfUpload(entry: Entry): Omit<Damage, "kind"> {
  return { ...nameOfKey(entry), uploadId: nameOf(entry)?.rest.toString("hex") };
}

/** A key that is none is shown as it stands. */
function nameOfKey(entry: Entry): { readonly bucketId: string; readonly key: string } {
  const bytes = asBuffer(entry.key);
  const { bucketId, key } = nameOf(entry) ?? {
    bucketId: bytes.toString("hex", 1, 9),
    key: bytes.toString("hex"),
  };
  return { bucketId, key };
}

function isDamage(kind: ProblemKind): kind is DamageKind {
  return kind in DAMAGE_KINDS;
}

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
