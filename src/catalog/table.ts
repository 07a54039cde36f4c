import { ControlError } from "#base/control-error.ts";
import { StorageError } from "#base/error.ts";
import { packRecord, unpackRecord } from "#base/json-record.ts";
import type { ControlLetter } from "#catalog/control-records.ts";
import { damageOf, hasShape, type Shape } from "#catalog/record-shape.ts";
import { Remembered } from "#catalog/remembered.ts";
import type { Change, Entry, Guard, MetaStore, Write } from "#meta/store.ts";

/** A record as it was when it was read. */
export interface Row<T> {
  readonly id: string;
  readonly value: T;
  readonly revision: number;
}

/** A record that cannot be read: no more than its id is known. */
export interface DamagedRow {
  readonly id: string;
  readonly damage: StorageError;
}

export interface RowsAsk {
  readonly prefix: string;
  /** Only ids after this one. */
  readonly after: string;
  readonly limit: number;
}

/** Records of one kind: JSON under a letter and an id. To read one fails: StorageError "corrupt", which names it. */
export class Table<T extends object> {
  readonly #meta: MetaStore;
  readonly #letter: ControlLetter;
  readonly #shape: Shape<T>;
  readonly #known = new Remembered<T>((value, id) => this.#unpack(id, value));

  constructor(meta: MetaStore, letter: ControlLetter, shape: Shape<T>) {
    this.#meta = meta;
    this.#letter = letter;
    this.#shape = shape;
  }

  async find(id: string): Promise<Row<T> | undefined> {
    const entry = await this.#meta.get(this.#key(id));
    if (entry === undefined) return undefined;
    return { id, value: this.#known.of(id, entry), revision: entry.revision };
  }

  /** Of a record that may be one which cannot be read; undefined when there is none. */
  async revision(id: string): Promise<number | undefined> {
    return (await this.#meta.get(this.#key(id)))?.revision;
  }

  /** In order of their ids. One that cannot be read keeps nobody from the others. */
  async page(ask: RowsAsk): Promise<(Row<T> | DamagedRow)[]> {
    const entries = await this.#scan(ask);
    return entries.map(({ key, value, revision }) => {
      const id = idOf(key);
      try {
        return { id, value: this.#unpack(id, value), revision };
      } catch (cause) {
        return { id, damage: damageOf(cause) };
      }
    });
  }

  /** Of the same records, read or not. */
  async ids(ask: RowsAsk): Promise<string[]> {
    return (await this.#scan(ask)).map(({ key }) => idOf(key));
  }

  /** Without a revision: the record must not be there. */
  guard(id: string, revision = 0): Guard {
    return { key: this.#key(id), revision };
  }

  write(id: string, value: T | undefined): Write {
    return { key: this.#key(id), value: value && packRecord(value) };
  }

  async #scan({ prefix, after, limit }: RowsAsk): Promise<Entry[]> {
    // What is asked for from outside must not lead to rows before those of the prefix.
    const isWithin = after !== "" && after.startsWith(prefix);
    const from = isWithin ? Buffer.concat([this.#key(after), ZERO]) : this.#key(prefix);
    const to = Buffer.concat([this.#key(prefix), LAST]);
    return await this.#meta.scan({ from, to, limit });
  }

  #unpack(id: string, value: Uint8Array): T {
    const name = `the record ${this.#letter}${id}`;
    try {
      const record = unpackRecord(value);
      if (hasShape(record, this.#shape)) return record;
    } catch (cause) {
      throw new StorageError("corrupt", `${name} cannot be read`, cause);
    }
    throw new StorageError("corrupt", `${name} is none of ours`);
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

function idOf(key: Uint8Array): string {
  return Buffer.from(key).toString("utf8", 1);
}
