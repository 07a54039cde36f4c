import { asBuffer } from "#base/bytes.ts";
import type { Found } from "#check/problem.ts";
import { entriesIn, guardOf, spanOf, type Version, whereOf } from "#check/walk.ts";
import type { Entry, MetaStore, MetaView } from "#meta/store.ts";
import { packHead, unpackHead } from "#versioned/head.ts";
import { headKey, keyOfHead } from "#versioned/keys.ts";
import { headOf } from "#versioned/plan.ts";
import type { VersionRecord } from "#versioned/record.ts";

/** The versions of one key: what its head follows from. */
interface Group {
  readonly headKey: Buffer;
  readonly bucketId: string;
  readonly key: string;
  readonly newest: {
    readonly entry: Entry;
    readonly sequence: number;
    readonly record: VersionRecord;
  };
  /** Of the null version, when it is not the newest. */
  nullSequence: number | undefined;
  nulls: number;
  /** A version that cannot be read may be the null version. */
  hasUnreadable: boolean;
}

/** Merges heads with versions, which come in the same order. */
export class HeadMerge {
  readonly #meta: MetaStore;
  readonly #found: Found;
  readonly #heads: AsyncGenerator<Entry>;
  #head: Entry | undefined;
  #group: Group | undefined;
  /** The key of a version that could not be read, before any that could. */
  #unknown: Buffer | undefined;
  heads = 0;

  private constructor(meta: MetaStore, found: Found, heads: AsyncGenerator<Entry>) {
    this.#meta = meta;
    this.#found = found;
    this.#heads = heads;
  }

  static async begin(meta: MetaStore, view: MetaView, found: Found): Promise<HeadMerge> {
    const merge = new HeadMerge(meta, found, entriesIn(view, spanOf("o")));
    await merge.#advance();
    return merge;
  }

  async version(entry: Entry, version: Version): Promise<void> {
    const { bucketId, key, sequence, record } = version;
    const name = headKey(bucketId, key);
    if (this.#group?.headKey.equals(name) === true) {
      if (record.isNull) {
        this.#group.nulls += 1;
        this.#group.nullSequence ??= sequence;
      }
      return;
    }
    await this.#endGroup();
    const hasUnreadable = this.#unknown?.equals(name) === true;
    this.#group = {
      headKey: name,
      bucketId,
      key,
      newest: { entry, sequence, record },
      nullSequence: undefined,
      nulls: record.isNull ? 1 : 0,
      hasUnreadable,
    };
  }

  /** Of a version that cannot be read: the head of its key is let alone. */
  async unreadable(bucketId: string, key: string): Promise<void> {
    const name = headKey(bucketId, key);
    if (this.#group?.headKey.equals(name) === true) {
      this.#group.hasUnreadable = true;
      return;
    }
    await this.#endGroup();
    await this.#dangling(name);
    this.#unknown = name;
    if (this.#head !== undefined && name.equals(this.#head.key)) await this.#advance();
  }

  async end(): Promise<void> {
    await this.#endGroup();
    await this.#dangling(undefined);
  }

  async #endGroup(): Promise<void> {
    const group = this.#group;
    this.#group = undefined;
    if (group === undefined) return;
    const { bucketId, key, hasUnreadable, nulls } = group;
    if (nulls > 1)
      await this.#found.problem({ kind: "null-twice", where: whereOf({ bucketId, key }) });
    await this.#dangling(group.headKey);
    const head =
      this.#head !== undefined && group.headKey.equals(this.#head.key) ? this.#head : undefined;
    if (head !== undefined) await this.#advance();
    if (!hasUnreadable) await this.#compare(group, head);
  }

  async #compare(group: Group, head: Entry | undefined): Promise<void> {
    const { bucketId, key, newest, nulls } = group;
    const { sequence, record } = newest;
    const nullSequence = record.isNull ? undefined : group.nullSequence;
    const value = packHead(headOf(record, { sequence, nullSequence }));
    if (head !== undefined && isThis(head, value)) return;
    const write = async () => {
      const guards = [{ key: group.headKey, revision: head?.revision ?? 0 }, guardOf(newest.entry)];
      const writes = [{ key: group.headKey, value }];
      return (await this.#meta.commit({ guards, writes })) !== undefined;
    };
    await this.#found.problem({
      kind: head === undefined ? "head-missing" : "head-wrong",
      where: whereOf({ bucketId, key }),
      // Which of two null versions is meant, nobody can tell.
      repair: nulls > 1 ? undefined : write,
    });
  }

  /** Tells of the heads before this key, which have no version. */
  async #dangling(before: Buffer | undefined): Promise<void> {
    while (this.#head !== undefined) {
      const key = asBuffer(this.#head.key);
      if (before !== undefined && key.compare(before) >= 0) return;
      if (this.#unknown?.equals(key) !== true) {
        const where = whereOf({ bucketId: key.toString("hex", 1, 9), key: keyOfHead(key) });
        await this.#found.problem({ kind: "head-dangling", where });
      }
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const next = await this.#heads.next();
    this.#head = next.done === true ? undefined : next.value;
    if (this.#head !== undefined) this.heads += 1;
  }
}

/** Whatever format it was written in. */
function isThis(head: Entry, value: Buffer): boolean {
  try {
    return packHead(unpackHead(head.value)).equals(value);
  } catch {
    // One that cannot be read is written again as one that is wrong.
    return false;
  }
}
