import type { Clock } from "#base/clock.ts";
import { packRecord, unpackRecord } from "#base/json-record.ts";
import type { Entry, MetaStore } from "#meta/store.ts";

/** What is remembered of a job: how far it is, who does it, and until when nobody else may. */
interface PlaceRecord<Place> {
  readonly place: Place | undefined;
  readonly holder: string | undefined;
  readonly untilMs: number;
}

/**
 * Where a job is, so that a restart goes on from there, and whose it is, so that of all processes and
 * machines over one store one does it at a time. Whoever falls silent for the time of a lease loses it.
 */
export class JobPlace<Place> {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #key: Buffer;

  constructor(meta: MetaStore, clock: Clock, job: string) {
    this.#meta = meta;
    this.#clock = clock;
    this.#key = Buffer.from(`j${job}`);
  }

  /** Where the job is, whoever does it; undefined when it never was anywhere. */
  async read(): Promise<Place | undefined> {
    return unpack<Place>(await this.#meta.get(this.#key))?.place;
  }

  /** undefined while somebody else has it. */
  async take(holder: string, leaseMs: number): Promise<HeldPlace<Place> | undefined> {
    const entry = await this.#meta.get(this.#key);
    const record = unpack<Place>(entry);
    const nowMs = this.#clock.now();
    const theirs = record?.holder !== undefined && record.holder !== holder;
    // One that ends much later than any that is taken now is of a clock that was set back since.
    const latestMs = nowMs + 2 * leaseMs;
    if (theirs && record.untilMs > nowMs && record.untilMs <= latestMs) return undefined;
    const write = async (next: PlaceRecord<Place>, revision: number) =>
      await this.#meta.commit({
        guards: [{ key: this.#key, revision }],
        writes: [{ key: this.#key, value: pack(next) }],
      });
    const taken = { place: record?.place, holder, untilMs: nowMs + leaseMs };
    const revision = await write(taken, entry?.revision ?? 0);
    if (revision === undefined) return undefined;
    return new HeldPlace(taken, revision, {
      write,
      until: () => this.#clock.now() + leaseMs,
    });
  }
}

interface Door<Place> {
  readonly write: (record: PlaceRecord<Place>, revision: number) => Promise<number | undefined>;
  readonly until: () => number;
}

/** A job's place in the hands of the one that does it. */
export class HeldPlace<Place> {
  readonly #holder: string | undefined;
  readonly #door: Door<Place>;
  /** Where the job was when it was taken. */
  readonly place: Place | undefined;
  #revision: number;

  constructor({ place, holder }: PlaceRecord<Place>, revision: number, door: Door<Place>) {
    this.place = place;
    this.#holder = holder;
    this.#revision = revision;
    this.#door = door;
  }

  /** Remembers the place and keeps the job. False: somebody else has taken it. */
  async save(place: Place): Promise<boolean> {
    return await this.#write({ place, holder: this.#holder, untilMs: this.#door.until() });
  }

  /** Remembers the place and lets the job go. */
  async release(place: Place): Promise<void> {
    await this.#write({ place, holder: undefined, untilMs: 0 });
  }

  async #write(record: PlaceRecord<Place>): Promise<boolean> {
    const revision = await this.#door.write(record, this.#revision);
    if (revision === undefined) return false;
    this.#revision = revision;
    return true;
  }
}

function pack<Place>(record: PlaceRecord<Place>): Buffer {
  return packRecord(record);
}

/** One that cannot be read is no place: the job begins anew, and is nobody's. Whoever takes it writes over it. */
function unpack<Place>(entry: Entry | undefined): PlaceRecord<Place> | undefined {
  if (entry === undefined) return undefined;
  try {
    return unpackRecord(entry.value) as PlaceRecord<Place>;
  } catch {
    return undefined;
  }
}
