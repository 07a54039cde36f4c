/** What can be wrong with a store. */
export const PROBLEM_KINDS = {
  "unreadable-record": "records that cannot be read",
  "bucket-missing": "records of a bucket that is not there",
  "head-missing": "keys that have versions and no head",
  "head-wrong": "heads that are not what their versions say",
  "head-dangling": "heads without any version: the record of the object is lost",
  "null-twice": "keys that have more than one null version",
  "size-wrong": "records whose parts or extents do not come to their size",
  "manifest-missing": "versions whose manifest is lost",
  "blob-missing": "blobs that are lost",
  "blob-size": "blobs that have another size than was written",
  "blob-damaged": "blobs that are not what was written: a CRC32 differs",
  "blob-unreadable": "blobs that the disk does not give",
  "inline-damaged": "inline bytes whose MD5 is not the one that was written",
  "reference-missing": "blobs that are held without a reference",
  "reference-unheld": "references that nothing holds",
  "manifest-unheld": "manifests that no version has",
  "parts-unheld": "parts of uploads that are not there",
  "part-counter-unheld": "counters of uploads that are not there, or have no parts",
  "part-counter-wrong": "counters that do not fit the parts of their upload",
  "rename-token-unheld": "tokens of renames that nothing would clear away",
  "garbage-malformed": "garbage entries that cannot be carried out",
  "garbage-of-held": "garbage entries that would throw away what is held",
  "hold-malformed": "holds that cannot be read: while they stand no garbage is thrown away",
  "usage-wrong": "counters of usage that do not fit what is there",
  "control-unreadable": "users, keys, policies or settings that cannot be read",
  "index-missing": "buckets that an index lacks",
  "index-dangling": "index entries of buckets that are not there",
} as const;

export type ProblemKind = keyof typeof PROBLEM_KINDS;

export interface Problem {
  readonly kind: ProblemKind;
  /** What it is about, for people. */
  readonly where: string;
  /**
   * Mends it without guessing; false: it was changed meanwhile. Absent: nobody can tell what was there.
   */
  readonly repair?: (() => Promise<boolean>) | undefined;
  /** As repair, but of what may be the last trace of something. */
  readonly discard?: (() => Promise<boolean>) | undefined;
}

export interface Findings {
  readonly kind: ProblemKind;
  readonly count: number;
  readonly mended: number;
  /** The first of them. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 10;

export interface Mending {
  readonly repair: boolean;
  /** Also what may be the last trace of something. */
  readonly discard: boolean;
}

/** Counts problems, remembers some, and mends what it is asked to. */
export class Found {
  readonly #mending: Mending;
  readonly #kinds = new Map<ProblemKind, { count: number; mended: number; examples: string[] }>();

  constructor(mending: Mending) {
    this.#mending = mending;
  }

  async problem({ kind, where, repair, discard }: Problem): Promise<void> {
    const known = this.#kinds.get(kind) ?? { count: 0, mended: 0, examples: [] };
    this.#kinds.set(kind, known);
    known.count += 1;
    const mend = repair ?? (this.#mending.discard ? discard : undefined);
    const mended = this.#mending.repair && mend !== undefined && (await mend());
    if (mended) known.mended += 1;
    if (known.examples.length < EXAMPLES_MAX) {
      known.examples.push(mended ? `${where} (mended)` : where);
    }
  }

  has(kind: ProblemKind): boolean {
    return this.#kinds.has(kind);
  }

  get findings(): readonly Findings[] {
    return [...this.#kinds].map(([kind, known]) => ({ kind, ...known }));
  }
}
