import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { randomBelow } from "#base/random.ts";
import {
  damageOf,
  isFlag,
  isNumber,
  isText,
  maybe,
  recordOf,
  type Shape,
} from "#catalog/record-shape.ts";
import { commitOrAbort, type DamagedRow, type Row, type RowsAsk, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

/** A tenant: users, keys, policies and buckets belong to one. */
export interface Organization {
  readonly name: string;
  readonly createdMs: number;
  readonly settings: OrganizationSettings;
  /** Its id is never used again: what was left under it must not come to be another's. */
  readonly deletedMs?: number | undefined;
}

export interface OrganizationSettings {
  readonly controlPlaneAuditLoggingEnabled: boolean;
  /** Of every bucket, besides those that have it of their own. */
  readonly bucketAuditLoggingEnabled: boolean;
}

const ALL_OFF: OrganizationSettings = {
  controlPlaneAuditLoggingEnabled: false,
  bucketAuditLoggingEnabled: false,
};
const ALL_ON: OrganizationSettings = {
  controlPlaneAuditLoggingEnabled: true,
  bucketAuditLoggingEnabled: true,
};
const SHAPE: Shape<Organization> = {
  name: isText,
  createdMs: isNumber,
  settings: recordOf<OrganizationSettings>({
    controlPlaneAuditLoggingEnabled: isFlag,
    bucketAuditLoggingEnabled: isFlag,
  }),
  deletedMs: maybe(isNumber),
};
const ID = /^[a-z0-9]{3,32}$/;
/** Policies name services by them. */
const RESERVED_IDS = ["static", "coreweave", "wandb"];
const ID_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 6;
const NAME_MAX = 128;

export class Organizations {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<Organization>;

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.#table = new Table(meta, "O", SHAPE);
  }

  /** Fails: NotFound. */
  async get(id: string): Promise<Row<Organization>> {
    const row = await this.#table.find(id);
    if (row !== undefined && row.value.deletedMs === undefined) return row;
    throw new ControlError("NotFound", `organization "${id}" not found`);
  }

  /** What cannot be read tells of no end. */
  async isDeleted(id: string): Promise<boolean> {
    const row = await this.#readable(id);
    return row !== undefined && "value" in row && row.value.deletedMs !== undefined;
  }

  /** Of an organization that is gone, nothing is wanted; where nobody can tell, everything may be. */
  async settings(id: string): Promise<OrganizationSettings> {
    const row = await this.#readable(id);
    if (row === undefined) return ALL_OFF;
    if ("damage" in row) return ALL_ON;
    return row.value.deletedMs === undefined ? row.value.settings : ALL_OFF;
  }

  /** Whether it wants records of what is asked of the control API and of STS. */
  async auditsControlPlane(id: string): Promise<boolean> {
    return (await this.settings(id)).controlPlaneAuditLoggingEnabled;
  }

  /** With those that were deleted. */
  async list(ask: Pick<RowsAsk, "after" | "limit">): Promise<(Row<Organization> | DamagedRow)[]> {
    return await this.#table.page({ ...ask, prefix: "" });
  }

  /** As `list`, of those too whose records cannot be read. */
  async ids(ask: Pick<RowsAsk, "after" | "limit">): Promise<string[]> {
    return await this.#table.ids({ ...ask, prefix: "" });
  }

  async #readable(id: string): Promise<Row<Organization> | DamagedRow | undefined> {
    try {
      return await this.#table.find(id);
    } catch (cause) {
      return { id, damage: damageOf(cause) };
    }
  }

  /** `id` is made when it is absent. Fails: InvalidArgument, AlreadyExists. */
  async create({ id = newId(), name }: { id?: string | undefined; name: string }): Promise<string> {
    if (!ID.test(id) || RESERVED_IDS.includes(id)) {
      const message = `organization id "${id}": give 3 to 32 of a-z 0-9, and not ${RESERVED_IDS.join(", ")}`;
      throw new ControlError("InvalidArgument", message);
    }
    if (name === "" || name.length > NAME_MAX) {
      throw new ControlError("InvalidArgument", `name: give 1 to ${NAME_MAX} characters`);
    }
    const organization = { name, createdMs: this.#clock.now(), settings: ALL_OFF };
    const change = {
      guards: [this.#table.guard(id)],
      writes: [this.#table.write(id, organization)],
    };
    if ((await this.#meta.commit(change)) !== undefined) return id;
    throw new ControlError("AlreadyExists", `organization "${id}" already exists, or has existed`);
  }

  /** For good. Whether it is empty the caller has found out. Fails: NotFound, Aborted. */
  async remove(id: string): Promise<void> {
    const { value, revision } = await this.get(id);
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(id, revision)],
      writes: [this.#table.write(id, { ...value, deletedMs: this.#clock.now() })],
    });
  }

  /** Only what is given changes. Fails: NotFound, Aborted. */
  async setSettings(
    id: string,
    change: { readonly [Name in keyof OrganizationSettings]?: boolean | undefined },
  ): Promise<OrganizationSettings> {
    const { value, revision } = await this.get(id);
    const { settings: before } = value;
    const settings = {
      controlPlaneAuditLoggingEnabled:
        change.controlPlaneAuditLoggingEnabled ?? before.controlPlaneAuditLoggingEnabled,
      bucketAuditLoggingEnabled:
        change.bucketAuditLoggingEnabled ?? before.bucketAuditLoggingEnabled,
    };
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(id, revision)],
      writes: [this.#table.write(id, { ...value, settings })],
    });
    return settings;
  }
}

function newId(): string {
  const chars = Array.from({ length: ID_LENGTH }, () => ID_CHARS[randomBelow(ID_CHARS.length)]);
  return chars.join("");
}
