import { packRecord, unpackRecord } from "#base/json-record.ts";
import type { Entry, MetaStore } from "#meta/store.ts";

/** What an operator asks of a job. */
export interface Orders {
  /** It rests, and goes on where it was when this is taken back. */
  readonly paused: boolean;
  /** It is to be done once, though it is not due. */
  readonly asked: boolean;
}

const NONE: Orders = { paused: false, asked: false };
const ATTEMPTS_MAX = 100;

/** Where an operator leaves what a job is to do, for whatever process does it. It outlasts a restart. */
export class JobOrders {
  readonly #meta: MetaStore;
  readonly #key: Buffer;

  constructor(meta: MetaStore, job: string) {
    this.#meta = meta;
    this.#key = Buffer.from(`j${job}/orders`);
  }

  async read(): Promise<Orders> {
    return (await this.#find()).orders;
  }

  async give(orders: Partial<Orders>): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { orders: before, revision } = await this.#find();
      const value = packRecord({ ...before, ...orders });
      const guards = [{ key: this.#key, revision }];
      const writes = [{ key: this.#key, value }];
      if ((await this.#meta.commit({ guards, writes })) !== undefined) return;
    }
    throw new Error("a job's orders were changed by others each time");
  }

  async #find(): Promise<{ readonly orders: Orders; readonly revision: number }> {
    const entry = await this.#meta.get(this.#key);
    return { orders: unpack(entry), revision: entry?.revision ?? 0 };
  }
}

/** Those that cannot be read are none. Whoever gives new ones writes over them. */
function unpack(entry: Entry | undefined): Orders {
  if (entry === undefined) return NONE;
  try {
    return { ...NONE, ...(unpackRecord(entry.value) as Partial<Orders>) };
  } catch {
    return NONE;
  }
}
