import type { Clock } from "#base/clock.ts";
import { damageOf, isNumber, mapOf, type Shape } from "#catalog/record-shape.ts";
import { commitOrAbort, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

/**
 * What was taken back of an organization's session keys, which are stored nowhere: all together, so that
 * a request reads it in one go.
 */
interface RevocationsRecord {
  /** All keys that were made until then. */
  readonly allMs: number;
  /** By the name of a principal: all its keys that were made until then. */
  readonly principals: Readonly<Record<string, number>>;
  /** By its id: when a key was revoked. */
  readonly keys: Readonly<Record<string, number>>;
}

const SHAPE: Shape<RevocationsRecord> = {
  allMs: isNumber,
  principals: mapOf(isNumber),
  keys: mapOf(isNumber),
};
const NOTHING: RevocationsRecord = { allMs: 0, principals: {}, keys: {} };
const ENTRIES_MAX = 1_000;

/** Session keys that work no more although they have not expired. */
export class Revocations {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<RevocationsRecord>;
  /** No session key lives longer: what was revoked before need not be known any more. */
  readonly #lifeMsMax: number;

  constructor(parts: {
    readonly meta: MetaStore;
    readonly clock: Clock;
    readonly lifeMsMax: number;
  }) {
    this.#meta = parts.meta;
    this.#clock = parts.clock;
    this.#lifeMsMax = parts.lifeMsMax;
    this.#table = new Table(parts.meta, "X", SHAPE);
  }

  async isRevoked(
    organizationId: string,
    key: {
      readonly accessKeyId: string;
      readonly principalName: string;
      readonly createdMs: number;
    },
  ): Promise<boolean> {
    const row = await this.#table.find(organizationId);
    if (row === undefined) return false;
    const { allMs, principals, keys } = row.value;
    if (Object.hasOwn(keys, key.accessKeyId)) return true;
    const ofPrincipal = Object.hasOwn(principals, key.principalName)
      ? (principals[key.principalName] ?? 0)
      : 0;
    return key.createdMs <= Math.max(allMs, ofPrincipal);
  }

  /** Whether there is such a key nobody knows: then nothing is lost either. Fails: Aborted. */
  async revokeKey(organizationId: string, accessKeyId: string): Promise<void> {
    await this.#add(organizationId, ({ keys }) => ({
      keys: { ...keys, [accessKeyId]: this.#clock.now() },
    }));
  }

  /** All session keys of the principal that there are now. Fails: Aborted. */
  async revokePrincipal(organizationId: string, principalName: string): Promise<void> {
    await this.#add(organizationId, ({ principals }) => ({
      principals: { ...principals, [principalName]: this.#clock.now() },
    }));
  }

  async #add(
    organizationId: string,
    change: (record: RevocationsRecord) => Partial<RevocationsRecord>,
  ): Promise<void> {
    // Read first: whatever is read below is of this revision, or the guard fails.
    const revision = await this.#table.revision(organizationId);
    const current = await this.#current(organizationId);
    const changed = bounded({ ...current, ...change(current) }, this.#clock.now());
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(organizationId, revision)],
      writes: [this.#table.write(organizationId, changed)],
    });
  }

  async #current(organizationId: string): Promise<RevocationsRecord> {
    const { allMs, principals, keys } = await this.#read(organizationId);
    const fromMs = this.#clock.now() - this.#lifeMsMax;
    return { allMs, principals: since(principals, fromMs), keys: since(keys, fromMs) };
  }

  /** Where it cannot be read, any key may have been revoked: all are, that there are now. */
  async #read(organizationId: string): Promise<RevocationsRecord> {
    try {
      return (await this.#table.find(organizationId))?.value ?? NOTHING;
    } catch (cause) {
      damageOf(cause);
      return { ...NOTHING, allMs: this.#clock.now() };
    }
  }
}

function since(entries: Readonly<Record<string, number>>, fromMs: number): Record<string, number> {
  return Object.fromEntries(Object.entries(entries).filter(([, ms]) => ms >= fromMs));
}

/** Too many to remember one by one: then all keys of the organization go, and are asked for anew. */
function bounded(record: RevocationsRecord, nowMs: number): RevocationsRecord {
  const count = Object.keys(record.keys).length + Object.keys(record.principals).length;
  return count > ENTRIES_MAX ? { ...NOTHING, allMs: nowMs } : record;
}
