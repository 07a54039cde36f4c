import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { randomHex } from "#base/random.ts";
import { isNumber, isText, listOf, maybe, type Shape } from "#catalog/record-shape.ts";
import { commitOrAbort, type DamagedRow, type Row, type RowsAsk, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

/** A person or a program of one organization. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly createdMs: number;
  /** Another one for each user that ever has the id: credentials of one who is gone are not the next one's. */
  readonly incarnation: string;
}

export interface UserName {
  readonly organizationId: string;
  readonly uid: string;
}

const SHAPE: Shape<User> = {
  name: isText,
  groups: listOf(isText),
  createdMs: isNumber,
  incarnation: maybe(isText),
};
const UID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const GROUP = /^[A-Za-z0-9][A-Za-z0-9_.:@/-]{0,127}$/;
const GROUPS_MAX = 50;
const NAME_MAX = 128;

/** A key stands for its user as the user is now: one who is removed, or leaves a group, is so at once. */
export class Users {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<User>;

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.#table = new Table(meta, "U", SHAPE);
  }

  /** Fails: NotFound. */
  async get(name: UserName): Promise<Row<User>> {
    const row = await this.#table.find(idOf(name));
    if (row === undefined) throw notFound(name);
    return { ...row, id: name.uid };
  }

  /** Ids of the rows are uids. */
  async list(
    organizationId: string,
    { after, limit }: Pick<RowsAsk, "after" | "limit">,
  ): Promise<(Row<User> | DamagedRow)[]> {
    const prefix = `${organizationId}/`;
    const rows = await this.#table.page({
      prefix,
      after: after === "" ? "" : prefix + after,
      limit,
    });
    return rows.map((row) => ({ ...row, id: row.id.slice(prefix.length) }));
  }

  /** `uid` is made when it is absent. Fails: InvalidArgument, AlreadyExists. */
  async create(
    organizationId: string,
    {
      uid = randomHex(8),
      name,
      groups,
    }: { uid?: string | undefined; name: string; groups: readonly string[] },
  ): Promise<string> {
    if (!UID.test(uid)) {
      const message = `user id "${uid}": give 1 to 64 of A-Z a-z 0-9 _ . - and begin with a letter or digit`;
      throw new ControlError("InvalidArgument", message);
    }
    const user = {
      name: checkName(name),
      groups: checkGroups(groups),
      createdMs: this.#clock.now(),
      incarnation: randomHex(8),
    };
    const id = idOf({ organizationId, uid });
    const change = { guards: [this.#table.guard(id)], writes: [this.#table.write(id, user)] };
    if ((await this.#meta.commit(change)) !== undefined) return uid;
    throw new ControlError("AlreadyExists", `user "${uid}" already exists`);
  }

  /** Only what is given changes. Fails: NotFound, InvalidArgument, Aborted. */
  async update(
    name: UserName,
    change: { name?: string | undefined; groups?: readonly string[] | undefined },
  ): Promise<User> {
    const { value, revision } = await this.get(name);
    const changed = {
      ...value,
      name: change.name === undefined ? value.name : checkName(change.name),
      groups: change.groups === undefined ? value.groups : checkGroups(change.groups),
    };
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(idOf(name), revision)],
      writes: [this.#table.write(idOf(name), changed)],
    });
    return changed;
  }

  /** From here on no key of the user works. One whose record cannot be read goes too. Fails: NotFound, Aborted. */
  async remove(name: UserName): Promise<void> {
    const revision = await this.#table.revision(idOf(name));
    if (revision === undefined) throw notFound(name);
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(idOf(name), revision)],
      writes: [this.#table.write(idOf(name), undefined)],
    });
  }

  /** As a principal; undefined when there is no such user, or it is another one by now. */
  async principal(name: UserName, incarnation: string | undefined): Promise<Principal | undefined> {
    const row = await this.#table.find(idOf(name));
    if (row === undefined || row.value.incarnation !== incarnation) return undefined;
    return userPrincipal(name, row.value.groups);
  }
}

export function userPrincipal(
  { organizationId, uid }: UserName,
  groups: readonly string[],
): Principal {
  return { kind: "user", organizationId, name: `coreweave/${uid}`, groups };
}

function notFound({ uid }: UserName): ControlError {
  return new ControlError("NotFound", `user "${uid}" not found`);
}

function idOf({ organizationId, uid }: UserName): string {
  return `${organizationId}/${uid}`;
}

function checkName(name: string): string {
  if (name !== "" && name.length <= NAME_MAX) return name;
  throw new ControlError("InvalidArgument", `name: give 1 to ${NAME_MAX} characters`);
}

function checkGroups(groups: readonly string[]): readonly string[] {
  if (groups.length > GROUPS_MAX) {
    throw new ControlError("InvalidArgument", `groups: at most ${GROUPS_MAX}`);
  }
  const bad = groups.find((group) => !GROUP.test(group));
  if (bad === undefined) return [...new Set(groups)];
  const message = `group "${bad}": give 1 to 128 of A-Z a-z 0-9 _ . : @ / - and begin with a letter or digit`;
  throw new ControlError("InvalidArgument", message);
}
