import { type Principal, userName } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import type { Keyring } from "#base/keyring.ts";
import { randomBelow, randomBytes } from "#base/random.ts";
import { commitOrAbort, type Row, type RowsAsk, Table } from "#catalog/table.ts";
import type { Users } from "#catalog/users.ts";
import type { MetaStore } from "#meta/store.ts";

/** What a key is to who manages it. The secret is shown once, when the key is made. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly organizationId: string;
  readonly principalName: string;
  readonly status: AccessKeyStatus;
  /** undefined: never. */
  readonly expiryMs: number | undefined;
  readonly createdMs: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export type AccessKeyStatus = "ACTIVE" | "EXPIRED" | "FULL_SUSPENDED" | "DELETED";

export interface NewAccessKey {
  readonly principal: Principal;
  /** 0: the key does not expire. */
  readonly durationSeconds: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Whoever uses the key must send a session token along. */
  readonly withSession: boolean;
}

export interface MadeAccessKey extends AccessKey {
  readonly secretKey: string;
  readonly sessionToken: string | undefined;
}

/** What the S3 front verifies a signature with. */
export interface Credential {
  readonly secret: string;
  readonly principal: Principal;
  readonly expiryMs: number | undefined;
  /** SHA-256 of the session token, in hex. */
  readonly sessionDigest: string | undefined;
}

interface KeyRecord {
  readonly principal: Principal;
  /** Under the purpose "access keys" of the master key `sealedBy`; undefined when deleted. */
  readonly secret: string | undefined;
  readonly sealedBy: string;
  readonly createdMs: number;
  readonly expiryMs: number | undefined;
  readonly suspended: boolean;
  readonly deletedMs: number | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly sessionDigest: string | undefined;
}

const DURATION_SECONDS_MAX = 43_200;
const ATTRIBUTES_MAX = 15;
const ATTRIBUTE_NAME = /^(?!cw-|role|groups)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ATTRIBUTE_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const PURPOSE = "access keys";
/** How many keys of one principal may live: what a list and a revocation have to look through. */
const KEYS_OF_PRINCIPAL_MAX = 1_000;
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";

export interface AccessKeysParts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly users: Users;
}

/** Access keys, permanent and temporary, of users and of roles. */
export class AccessKeys {
  readonly #parts: AccessKeysParts;
  readonly #table: Table<KeyRecord>;
  /** `organization/principal/key`: which keys there are of whom. */
  readonly #index: Table<object>;
  /** Opened secrets, by key and revision: to open one costs more than a whole request may. */
  readonly #secrets = new Map<string, { readonly revision: number; readonly secret: string }>();

  constructor(parts: AccessKeysParts) {
    this.#parts = parts;
    this.#table = new Table(parts.meta, "K");
    this.#index = new Table(parts.meta, "k");
  }

  /** Fails: InvalidArgument, ResourceExhausted. */
  async create(input: NewAccessKey): Promise<MadeAccessKey> {
    const { meta, clock, keyring } = this.#parts;
    const { principal, durationSeconds } = input;
    checkDuration(durationSeconds);
    checkAttributes(input.attributes);
    await this.#requireRoom(principal);
    const accessKeyId = `CW${letters(UPPER, 14)}`;
    const secretKey = `cwo${letters(LOWER, 40)}`;
    const sessionToken = input.withSession ? randomBytes(48).toString("base64url") : undefined;
    const sealedBy = keyring.sealingKeyId;
    const createdMs = clock.now();
    const record: KeyRecord = {
      principal,
      secret: keyring.box(sealedBy, PURPOSE).seal(Buffer.from(secretKey), accessKeyId),
      sealedBy,
      createdMs,
      expiryMs: durationSeconds === 0 ? undefined : createdMs + durationSeconds * 1_000,
      suspended: false,
      deletedMs: undefined,
      attributes: input.attributes,
      sessionDigest: sessionToken === undefined ? undefined : sessionDigestOf(sessionToken),
    };
    await commitOrAbort(meta, {
      guards: [this.#table.guard(accessKeyId)],
      writes: [
        this.#table.write(accessKeyId, record),
        this.#index.write(indexId(principal, accessKeyId), {}),
      ],
    });
    return { ...this.#shown({ id: accessKeyId, value: record }), secretKey, sessionToken };
  }

  /** What a request signed with the key is verified with; undefined when it may not sign any more. */
  async find(accessKeyId: string): Promise<Credential | undefined> {
    const row = await this.#table.find(accessKeyId);
    if (row === undefined || row.value.suspended) return undefined;
    const { principal: known, expiryMs, sessionDigest } = row.value;
    const principal = await this.#asItIsNow(known);
    const secret = this.#secretOf(row);
    if (principal === undefined || secret === undefined) return undefined;
    return { secret, principal, expiryMs, sessionDigest };
  }

  /** Fails: NotFound, of a key of another organization too. */
  async get(organizationId: string, accessKeyId: string): Promise<AccessKey> {
    return this.#shown(await this.#row(organizationId, accessKeyId));
  }

  /** Of one principal, or of the whole organization. */
  async list(
    organizationId: string,
    {
      principalName,
      after,
      limit,
    }: Omit<RowsAsk, "prefix"> & { principalName?: string | undefined },
  ): Promise<{ readonly keys: readonly AccessKey[]; readonly next: string | undefined }> {
    const prefix = `${organizationId}/${principalName === undefined ? "" : `${encodeURIComponent(principalName)}/`}`;
    const entries = await this.#index.page({ prefix, after, limit: limit + 1 });
    const page = entries.slice(0, limit);
    const rows = await Promise.all(page.map(({ id }) => this.#table.find(keyOfIndex(id))));
    return {
      keys: rows.flatMap((row) => (row === undefined ? [] : this.#shown(row))),
      next: entries.length > limit ? page.at(-1)?.id : undefined,
    };
  }

  /** The key works no more, in any process, once this resolves. Fails: NotFound, Aborted. */
  async revoke(organizationId: string, accessKeyId: string): Promise<void> {
    await this.#delete(await this.#row(organizationId, accessKeyId));
  }

  /** Fails: NotFound, FailedPrecondition (it was deleted), Aborted. */
  async setSuspended(
    organizationId: string,
    accessKeyId: string,
    suspended: boolean,
  ): Promise<void> {
    const row = await this.#row(organizationId, accessKeyId);
    if (row.value.deletedMs !== undefined) {
      throw new ControlError("FailedPrecondition", `access key "${accessKeyId}" was deleted`);
    }
    await this.#change(row, { suspended });
  }

  /** All keys of a principal that are there now; resolves to how many. */
  async revokeOf(organizationId: string, principalName: string): Promise<number> {
    const prefix = `${organizationId}/${encodeURIComponent(principalName)}/`;
    const entries = await this.#index.page({ prefix, after: "", limit: KEYS_OF_PRINCIPAL_MAX });
    let revoked = 0;
    for (const { id } of entries) {
      const row = await this.#table.find(keyOfIndex(id));
      if (row === undefined || row.value.deletedMs !== undefined) continue;
      await this.#delete(row);
      revoked += 1;
    }
    return revoked;
  }

  /**
   * Forgets keys that expired or were deleted a day ago or longer, of those after `after`; resolves to
   * where to go on, or to undefined at the end.
   */
  async sweep({ after, limit }: { after: string; limit: number }): Promise<string | undefined> {
    const { meta, clock } = this.#parts;
    const rows = await this.#table.page({ prefix: "", after, limit });
    for (const row of rows) {
      const { principal, deletedMs, expiryMs } = row.value;
      const endMs = deletedMs ?? expiryMs;
      if (endMs === undefined || endMs + DAY_MS > clock.now()) continue;
      const writes = [
        this.#table.write(row.id, undefined),
        this.#index.write(indexId(principal, row.id), undefined),
      ];
      await meta.commit({ guards: [this.#table.guard(row.id, row.revision)], writes });
    }
    return rows.length < limit ? undefined : rows.at(-1)?.id;
  }

  async #row(organizationId: string, accessKeyId: string): Promise<Row<KeyRecord>> {
    const row = await this.#table.find(accessKeyId);
    if (row?.value.principal.organizationId === organizationId) return row;
    throw new ControlError("NotFound", `access key "${accessKeyId}" not found`);
  }

  async #delete(row: Row<KeyRecord>): Promise<void> {
    await this.#change(row, { deletedMs: this.#parts.clock.now(), secret: undefined });
  }

  async #change(
    { id, value, revision }: Row<KeyRecord>,
    change: Partial<KeyRecord>,
  ): Promise<void> {
    await commitOrAbort(this.#parts.meta, {
      guards: [this.#table.guard(id, revision)],
      writes: [this.#table.write(id, { ...value, ...change })],
    });
  }

  /** A user with the groups of this moment; undefined when the user is gone. Roles carry their own. */
  async #asItIsNow(principal: Principal): Promise<Principal | undefined> {
    const uid = userName(principal);
    const { organizationId } = principal;
    if (uid === undefined || organizationId === undefined) return principal;
    return await this.#parts.users.principal({ organizationId, uid });
  }

  #secretOf({ id, value, revision }: Row<KeyRecord>): string | undefined {
    const known = this.#secrets.get(id);
    if (known?.revision === revision) return known.secret;
    if (value.secret === undefined) return undefined;
    const opened = this.#parts.keyring.box(value.sealedBy, PURPOSE).open(value.secret, id);
    if (opened === undefined) return undefined;
    const secret = opened.toString();
    if (this.#secrets.size >= SECRETS_MAX) this.#secrets.clear();
    this.#secrets.set(id, { revision, secret });
    return secret;
  }

  #shown({ id, value }: Pick<Row<KeyRecord>, "id" | "value">): AccessKey {
    const { principal, expiryMs, createdMs, attributes } = value;
    return {
      accessKeyId: id,
      organizationId: principal.organizationId ?? "",
      principalName: principal.name,
      status: this.#statusOf(value),
      expiryMs,
      createdMs,
      attributes,
    };
  }

  #statusOf({ deletedMs, suspended, expiryMs }: KeyRecord): AccessKeyStatus {
    if (deletedMs !== undefined) return "DELETED";
    if (expiryMs !== undefined && expiryMs <= this.#parts.clock.now()) return "EXPIRED";
    return suspended ? "FULL_SUSPENDED" : "ACTIVE";
  }

  /** Fails: ResourceExhausted. */
  async #requireRoom(principal: Principal): Promise<void> {
    const prefix = indexId(principal, "");
    const entries = await this.#index.page({ prefix, after: "", limit: KEYS_OF_PRINCIPAL_MAX });
    if (entries.length < KEYS_OF_PRINCIPAL_MAX) return;
    const message = `${principal.name} has ${KEYS_OF_PRINCIPAL_MAX} access keys: revoke some first`;
    throw new ControlError("ResourceExhausted", message);
  }
}

const DAY_MS = 86_400_000;
const SECRETS_MAX = 10_000;

export function sessionDigestOf(token: string): string {
  return digestOf("SHA256", Buffer.from(token)).toString("hex");
}

function indexId({ organizationId = "", name }: Principal, accessKeyId: string): string {
  return `${organizationId}/${encodeURIComponent(name)}/${accessKeyId}`;
}

function keyOfIndex(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

function letters(alphabet: string, count: number): string {
  const chars = Array.from({ length: count }, () => alphabet[randomBelow(alphabet.length)]);
  return chars.join("");
}

function checkDuration(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= DURATION_SECONDS_MAX) return;
  const message = `durationSeconds: give 0 (permanent) or at most ${DURATION_SECONDS_MAX} (12 hours)`;
  throw new ControlError("InvalidArgument", message);
}

function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) {
    throw new ControlError("InvalidArgument", `attributes: at most ${ATTRIBUTES_MAX}`);
  }
  for (const [name, value] of entries) {
    if (!ATTRIBUTE_NAME.test(name)) {
      const message = `attributes["${name}"]: a key is a lower-case DNS label that does not begin with cw-, role or groups`;
      throw new ControlError("InvalidArgument", message);
    }
    if (!ATTRIBUTE_VALUE.test(value)) {
      const message = `attributes["${name}"]: a value has up to 63 of A-Z a-z 0-9 . _ - and begins and ends with a letter or digit`;
      throw new ControlError("InvalidArgument", message);
    }
  }
}
