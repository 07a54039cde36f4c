import type { Principal } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import type { StorageError } from "#base/error.ts";
import type { Keyring } from "#base/keyring.ts";
import { randomBytes } from "#base/random.ts";
import {
  checkAttributes,
  checkDuration,
  checkKeyPair,
  isSessionKeyId,
  type KeyPair,
  newKeyPair,
} from "#catalog/access-key-form.ts";
import { type Holder, type Holders, organizationOf } from "#catalog/holders.ts";
import {
  damageOf,
  isFlag,
  isNumber,
  isText,
  listOf,
  mapOf,
  maybe,
  recordOf,
  type Shape,
} from "#catalog/record-shape.ts";
import type { Revocations } from "#catalog/revocations.ts";
import { commitOrAbort, type Row, type RowsAsk, Table } from "#catalog/table.ts";
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
  /** The configuration that let a federated role in. */
  readonly federationId?: string | undefined;
  /** One that clients have already; made when absent. */
  readonly pair?: KeyPair | undefined;
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

interface KeyRecord extends Holder {
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

const SHAPE: Shape<KeyRecord> = {
  principal: recordOf<Principal>({
    kind: isText,
    organizationId: isText,
    name: isText,
    groups: listOf(isText),
  }),
  incarnation: maybe(isText),
  federationId: maybe(isText),
  secret: maybe(isText),
  sealedBy: isText,
  createdMs: isNumber,
  expiryMs: maybe(isNumber),
  suspended: isFlag,
  deletedMs: maybe(isNumber),
  attributes: mapOf(isText),
  sessionDigest: maybe(isText),
};
const PURPOSE = "access keys";
/** How many keys of one principal may live: what a list and a revocation have to look through. */
const KEYS_OF_PRINCIPAL_MAX = 1_000;

export interface AccessKeysParts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly holders: Holders;
  readonly revocations: Revocations;
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
    this.#table = new Table(parts.meta, "K", SHAPE);
    this.#index = new Table(parts.meta, "k", {});
  }

  /**
   * Fails: InvalidArgument, NotFound (the user is gone), ResourceExhausted; AlreadyExists (the pair's id
   * is a key's, or was one's until a day ago).
   */
  async create(input: NewAccessKey): Promise<MadeAccessKey> {
    const { meta, clock, keyring, holders } = this.#parts;
    const { principal, durationSeconds } = input;
    organizationOf(principal);
    checkDuration(durationSeconds);
    checkAttributes(input.attributes);
    if (input.pair !== undefined) await this.#checkPair(input.pair);
    await this.#requireRoom(principal);
    const { accessKeyId, secretKey } = input.pair ?? newKeyPair();
    const sessionToken = input.withSession ? randomBytes(48).toString("base64url") : undefined;
    const sealedBy = keyring.sealingKeyId;
    const createdMs = clock.now();
    const record: KeyRecord = {
      ...(await holders.holder(principal, input.federationId)),
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
    const { expiryMs, sessionDigest } = row.value;
    const principal = await this.#parts.holders.asItIsNow(row.value);
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
    const ids = await this.#index.ids({ prefix, after, limit: limit + 1 });
    const page = ids.slice(0, limit);
    const rows = await this.#readable(page);
    return {
      keys: rows.map((row) => this.#shown(row)),
      next: ids.length > limit ? page.at(-1) : undefined,
    };
  }

  /**
   * The key works no more, in any process, once this resolves; a session key, which is not stored, too.
   * Fails: NotFound, Aborted.
   */
  async revoke(organizationId: string, accessKeyId: string): Promise<void> {
    if (isSessionKeyId(accessKeyId)) {
      await this.#parts.revocations.revokeKey(organizationId, accessKeyId);
      return;
    }
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

  /** All keys of a principal that there are now; resolves to how many of them were stored. Fails: Aborted. */
  async revokeOf(organizationId: string, principalName: string): Promise<number> {
    await this.#parts.revocations.revokePrincipal(organizationId, principalName);
    const rows = await this.#rowsOf(organizationId, principalName);
    for (const row of rows) await this.#delete(row);
    return rows.length;
  }

  /**
   * All stored keys of a principal that are there now. Its session keys, which are stored nowhere, cannot
   * be suspended: they end. Fails: Aborted.
   */
  async setSuspendedOf(
    organizationId: string,
    principalName: string,
    suspended: boolean,
  ): Promise<void> {
    if (suspended) await this.#parts.revocations.revokePrincipal(organizationId, principalName);
    for (const row of await this.#rowsOf(organizationId, principalName)) {
      if (row.value.suspended !== suspended) await this.#change(row, { suspended });
    }
  }

  /**
   * Forgets keys that expired or were deleted a day ago or longer, of those after `after`; resolves to
   * where to go on, or to undefined at the end. What cannot be read stays.
   */
  async sweep({ after, limit, failed }: KeysSweep): Promise<string | undefined> {
    const ids = await this.#table.ids({ prefix: "", after, limit });
    await Promise.all(
      ids.map(async (id) => {
        try {
          const row = await this.#table.find(id);
          if (row !== undefined && this.#hasEnded(row.value, DAY_MS)) await this.#forget(row);
        } catch (cause) {
          failed(damageOf(cause));
        }
      }),
    );
    return ids.length < limit ? undefined : ids.at(-1);
  }

  /** Of one principal, those that were not deleted. */
  async #rowsOf(organizationId: string, principalName: string): Promise<Row<KeyRecord>[]> {
    const prefix = `${organizationId}/${encodeURIComponent(principalName)}/`;
    const ids = await this.#index.ids({ prefix, after: "", limit: KEYS_OF_PRINCIPAL_MAX });
    const rows = await this.#readable(ids);
    return rows.filter(({ value }) => value.deletedMs === undefined);
  }

  /** By their places in the index. One that cannot be read signs nothing either: it is left out. */
  async #readable(ids: readonly string[]): Promise<Row<KeyRecord>[]> {
    const found = await Promise.all(
      ids.map(async (id) => {
        try {
          return await this.#table.find(keyOfIndex(id));
        } catch (cause) {
          damageOf(cause);
          return undefined;
        }
      }),
    );
    return found.flatMap((row) => row ?? []);
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

  /** Fails: InvalidArgument, AlreadyExists. */
  async #checkPair(pair: KeyPair): Promise<void> {
    checkKeyPair(pair);
    if ((await this.#table.find(pair.accessKeyId)) === undefined) return;
    throw new ControlError("AlreadyExists", `there is an access key "${pair.accessKeyId}" already`);
  }

  /** Forgets what has ended when there is no room else. Fails: ResourceExhausted. */
  async #requireRoom(principal: Principal): Promise<void> {
    const prefix = indexId(principal, "");
    const ids = await this.#index.ids({ prefix, after: "", limit: KEYS_OF_PRINCIPAL_MAX });
    if (ids.length < KEYS_OF_PRINCIPAL_MAX) return;
    const rows = await this.#readable(ids);
    const ended = rows.filter(({ value }) => this.#hasEnded(value, 0));
    await Promise.all(ended.map((row) => this.#forget(row)));
    if (ended.length > 0) return;
    const message = `${principal.name} has ${KEYS_OF_PRINCIPAL_MAX} access keys: revoke some first`;
    throw new ControlError("ResourceExhausted", message);
  }

  /** For `graceMs` or longer; or it was deleted before the clock was set back, nobody knows how long ago. */
  #hasEnded({ deletedMs, expiryMs }: KeyRecord, graceMs: number): boolean {
    const nowMs = this.#parts.clock.now();
    if (deletedMs !== undefined && deletedMs > nowMs) return true;
    const endMs = deletedMs ?? expiryMs;
    return endMs !== undefined && endMs + graceMs <= nowMs;
  }

  async #forget({ id, value, revision }: Row<KeyRecord>): Promise<void> {
    const writes = [
      this.#table.write(id, undefined),
      this.#index.write(indexId(value.principal, id), undefined),
    ];
    await this.#parts.meta.commit({ guards: [this.#table.guard(id, revision)], writes });
  }
}

interface KeysSweep {
  readonly after: string;
  readonly limit: number;
  /** Told of each record that cannot be read. */
  readonly failed: (cause: StorageError) => void;
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
