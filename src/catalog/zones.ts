import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { S3Error } from "#base/error.ts";
import { isNumber, isText, listOf, recordOf, type Shape } from "#catalog/record-shape.ts";
import { commitOrAbort, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

export interface Zone {
  readonly name: string;
  readonly createdMs: number;
}

/** All together, so that a request reads them in one go. */
interface ZonesRecord {
  readonly zones: readonly Zone[];
}

const RECORD: Shape<ZonesRecord> = {
  zones: listOf(recordOf<Zone>({ name: isText, createdMs: isNumber })),
};
const ID = "all";
const SHAPE = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;
const ZONES_MAX = 1_000;

/** Names that a new bucket's location may have. While there are none, any name will do. */
export class Zones {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<ZonesRecord>;

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.#table = new Table(meta, "Z", RECORD);
  }

  async list(): Promise<readonly Zone[]> {
    return (await this.#table.find(ID))?.value.zones ?? [];
  }

  /** Fails: InvalidArgument, AlreadyExists (in upper or lower case), ResourceExhausted, Aborted. */
  async create(name: string): Promise<Zone> {
    if (!SHAPE.test(name)) {
      const message = `zone "${name}": give 1 to 63 of A-Z a-z 0-9 - and begin with a letter or digit`;
      throw new ControlError("InvalidArgument", message);
    }
    const zone = { name, createdMs: this.#clock.now() };
    await this.#change((zones) => {
      if (zones.some((each) => isSame(each.name, name))) {
        throw new ControlError("AlreadyExists", `zone "${name}" already exists`);
      }
      if (zones.length >= ZONES_MAX) {
        throw new ControlError("ResourceExhausted", `there are at most ${ZONES_MAX} zones`);
      }
      return [...zones, zone].sort((a, b) => (a.name < b.name ? -1 : 1));
    });
    return zone;
  }

  /** Buckets that are there stay. Fails: NotFound, Aborted. */
  async remove(name: string): Promise<void> {
    await this.#change((zones) => {
      const left = zones.filter((each) => each.name !== name);
      if (left.length < zones.length) return left;
      throw new ControlError("NotFound", `zone "${name}" not found`);
    });
  }

  /** The location of a new bucket, as the zone is spelled. Fails: InvalidLocationConstraint. */
  async spelled(location: string): Promise<string> {
    const zones = await this.list();
    if (zones.length === 0) return location;
    const zone = zones.find(({ name }) => isSame(name, location));
    if (zone !== undefined) return zone.name;
    const message = `There is no zone "${location}". Name one that there is as LocationConstraint.`;
    throw new S3Error("InvalidLocationConstraint", { LocationConstraint: location }, { message });
  }

  async #change(change: (zones: readonly Zone[]) => readonly Zone[]): Promise<void> {
    const row = await this.#table.find(ID);
    const zones = change(row?.value.zones ?? []);
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(ID, row?.revision)],
      writes: [this.#table.write(ID, { zones })],
    });
  }
}

function isSame(a: string, b: string): boolean {
  return a.toUpperCase() === b.toUpperCase();
}
