import { timingSafeEqual } from "node:crypto";
import type { Principal } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { randomBytes, randomHex } from "#base/random.ts";
import { isNumber, isText, maybe, type Shape } from "#catalog/record-shape.ts";
import { commitOrAbort, type DamagedRow, type RowsAsk, Table } from "#catalog/table.ts";
import type { Users } from "#catalog/users.ts";
import type { MetaStore } from "#meta/store.ts";

/** A bearer token of the control API: a user's, with all that policies allow the user. */
export interface ApiToken {
  readonly id: string;
  readonly organizationId: string;
  readonly uid: string;
  readonly name: string;
  readonly createdMs: number;
  /** undefined: never. */
  readonly expiryMs: number | undefined;
}

interface TokenRecord extends Omit<ApiToken, "id" | "organizationId"> {
  /** Of its user. */
  readonly incarnation: string;
  /** SHA-256 of the whole token, in hex: it has 256 random bits, which no guess reaches. */
  readonly digest: string;
}

const DIGEST = /^[0-9a-f]{64}$/;
const RECORD: Shape<TokenRecord> = {
  uid: isText,
  name: isText,
  createdMs: isNumber,
  expiryMs: maybe(isNumber),
  incarnation: maybe(isText),
  digest: (digest) => isText(digest) && DIGEST.test(String(digest)),
};
const SHAPE = /^lode_([a-z0-9]{3,32})_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;
/** Of no token at all. */
const NO_DIGEST = Buffer.alloc(32);
const NAME_MAX = 128;
const DURATION_SECONDS_MAX = 366 * 86_400;

export class ApiTokens {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #users: Users;
  readonly #table: Table<TokenRecord>;

  constructor(parts: { readonly meta: MetaStore; readonly clock: Clock; readonly users: Users }) {
    this.#meta = parts.meta;
    this.#clock = parts.clock;
    this.#users = parts.users;
    this.#table = new Table(parts.meta, "T", RECORD);
  }

  /** `token` is shown this once. 0 seconds: it does not expire. Fails: NotFound, InvalidArgument. */
  async create(
    organizationId: string,
    ask: { readonly uid: string; readonly name: string; readonly durationSeconds: number },
  ): Promise<ApiToken & { readonly token: string }> {
    const { uid, name, durationSeconds } = ask;
    const { incarnation } = (await this.#users.get({ organizationId, uid })).value;
    if (name.length > NAME_MAX) {
      throw new ControlError("InvalidArgument", `name: give at most ${NAME_MAX} characters`);
    }
    if (
      !Number.isInteger(durationSeconds) ||
      durationSeconds < 0 ||
      durationSeconds > DURATION_SECONDS_MAX
    ) {
      const message = `durationSeconds: give 0 (permanent) or at most ${DURATION_SECONDS_MAX} (366 days)`;
      throw new ControlError("InvalidArgument", message);
    }
    const id = randomHex(8);
    const token = `lode_${organizationId}_${id}_${randomBytes(32).toString("base64url")}`;
    const createdMs = this.#clock.now();
    const expiryMs = durationSeconds === 0 ? undefined : createdMs + durationSeconds * 1_000;
    const record = {
      uid,
      incarnation,
      name,
      createdMs,
      expiryMs,
      digest: digestOf("SHA256", Buffer.from(token)).toString("hex"),
    };
    const rowId = `${organizationId}/${id}`;
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(rowId)],
      writes: [this.#table.write(rowId, record)],
    });
    return { id, organizationId, uid, name, createdMs, expiryMs, token };
  }

  /**
   * Whose token it is; undefined for one that is unknown, expired or revoked. A wrong token of one that
   * there is takes the time of one that there is not.
   */
  async principalOf(token: string): Promise<Principal | undefined> {
    const [, organizationId = "", id] = SHAPE.exec(token) ?? [];
    const row = await this.#table.find(`${organizationId}/${id}`);
    const given = digestOf("SHA256", Buffer.from(token));
    const known = row === undefined ? NO_DIGEST : Buffer.from(row.value.digest, "hex");
    const isRight = timingSafeEqual(given, known);
    if (row === undefined || !isRight) return undefined;
    const { expiryMs, uid, incarnation } = row.value;
    if (expiryMs !== undefined && expiryMs <= this.#clock.now()) return undefined;
    return await this.#users.principal({ organizationId, uid }, incarnation);
  }

  async list(
    organizationId: string,
    { after, limit }: Pick<RowsAsk, "after" | "limit">,
  ): Promise<readonly (ApiToken | DamagedRow)[]> {
    const prefix = `${organizationId}/`;
    const rows = await this.#table.page({
      prefix,
      after: after === "" ? "" : prefix + after,
      limit,
    });
    return rows.map((row) => {
      const id = row.id.slice(prefix.length);
      if ("damage" in row) return { id, damage: row.damage };
      const { digest: _, incarnation: __, ...shown } = row.value;
      return { ...shown, id, organizationId };
    });
  }

  /** One whose record cannot be read too. Fails: NotFound, Aborted. */
  async revoke(organizationId: string, id: string): Promise<void> {
    const rowId = `${organizationId}/${id}`;
    const revision = await this.#table.revision(rowId);
    if (revision === undefined) throw new ControlError("NotFound", `API token "${id}" not found`);
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(rowId, revision)],
      writes: [this.#table.write(rowId, undefined)],
    });
  }
}
