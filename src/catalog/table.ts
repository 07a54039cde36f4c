import { assert } from "#base/assert.ts";
import { ControlError } from "#base/control-error.ts";
import { Remembered } from "#catalog/remembered.ts";
import type { Change, Guard, MetaStore, Write } from "#meta/store.ts";

const FORMAT = 1;

/** A record as it was when it was read. */
export interface Row<T> {
  readonly id: string;
  readonly value: T;
  readonly revision: number;
}

export interface RowsAsk {
  readonly prefix: string;
  /** Only ids after this one. */
  readonly after: string;
  readonly limit: number;
}

/** Records of one kind: JSON under a letter and an id. */
export class Table<T extends object> {
  readonly #meta: MetaStore;
  readonly #letter: string;
  readonly #known = new Remembered<T>((value) => unpack(value));

  /** `letter` is one that nothing else in the store begins with. */
  constructor(meta: MetaStore, letter: string) {
    this.#meta = meta;
    this.#letter = letter;
  }

  async find(id: string): Promise<Row<T> | undefined> {
    const entry = await this.#meta.get(this.#key(id));
    if (entry === undefined) return undefined;
    return { id, value: this.#known.of(id, entry), revision: entry.revision };
  }

  /** In order of their ids. */
  async page({ prefix, after, limit }: RowsAsk): Promise<Row<T>[]> {
    // What is asked for from outside must not lead to rows before those of the prefix.
    const isWithin = after !== "" && after.startsWith(prefix);
    const from = isWithin ? Buffer.concat([this.#key(after), ZERO]) : this.#key(prefix);
    const to = Buffer.concat([this.#key(prefix), LAST]);
    const entries = await this.#meta.scan({ from, to, limit });
    return entries.map(({ key, value, revision }) => ({
      id: Buffer.from(key).toString("utf8", 1),
      value: unpack<T>(value),
      revision,
    }));
  }

  /** Without a revision: the record must not be there. */
  guard(id: string, revision = 0): Guard {
    return { key: this.#key(id), revision };
  }

  write(id: string, value: T | undefined): Write {
    const packed = value && Buffer.from(JSON.stringify({ format: FORMAT, ...value }));
    return { key: this.#key(id), value: packed };
  }

  #key(id: string): Buffer {
    return Buffer.from(this.#letter + id);
  }
}

const ZERO = Buffer.of(0);
/** Above every byte of UTF-8. */
const LAST = Buffer.of(0xff);

/** Fails: ControlError "Aborted" when a guard no longer holds. */
export async function commitOrAbort(meta: MetaStore, change: Change): Promise<void> {
  if ((await meta.commit(change)) !== undefined) return;
  throw new ControlError("Aborted", "It was changed by somebody else at the same time. Try again.");
}

function unpack<T extends object>(value: Uint8Array): T {
  const { format, ...record } = JSON.parse(Buffer.from(value).toString()) as T & {
    format: number;
  };
  assert(format === FORMAT, "a record has the format this release writes");
  return record as unknown as T;
}
