import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { isNumber } from "#catalog/record-shape.ts";
import { Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

interface UsedRecord {
  /** From then on the assertion is refused for its age. */
  readonly untilMs: number;
}

/** How many are forgotten with each that is remembered: more than come, so that they do not pile up. */
const SWEPT = 4;

/** Assertions that were used, so that none is used twice, in whichever process. */
export class UsedAssertions {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<UsedRecord>;
  /** `time/id`: those that may be forgotten stand first. */
  readonly #ends: Table<object>;

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.#table = new Table<UsedRecord>(meta, "A", { untilMs: isNumber });
    this.#ends = new Table(meta, "a", {});
  }

  /** False: it was used before. `name` is whatever tells it apart from all others. */
  async use(name: readonly string[], untilMs: number): Promise<boolean> {
    const id = digestOf("SHA256", Buffer.from(JSON.stringify(name))).toString("hex");
    const used = await this.#meta.commit({
      guards: [this.#table.guard(id)],
      writes: [this.#table.write(id, { untilMs }), this.#ends.write(endId(untilMs, id), {})],
    });
    await this.#sweep();
    return used !== undefined;
  }

  async #sweep(): Promise<void> {
    const ids = await this.#ends.ids({ prefix: "", after: "", limit: SWEPT });
    const over = ids.filter((id) => Number(id.slice(0, DIGITS)) < this.#clock.now());
    if (over.length === 0) return;
    const writes = over.flatMap((id) => [
      this.#ends.write(id, undefined),
      this.#table.write(id.slice(DIGITS + 1), undefined),
    ]);
    // Another process may be at it too: what has ended is never written again.
    await this.#meta.commit({ guards: [], writes });
  }
}

const DIGITS = 15;

function endId(untilMs: number, id: string): string {
  return `${String(Math.ceil(untilMs)).padStart(DIGITS, "0")}/${id}`;
}
