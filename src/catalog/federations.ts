import type { Clock } from "#base/clock.ts";
import { ControlError } from "#base/control-error.ts";
import { randomHex } from "#base/random.ts";
import { checkOidc, type OidcConfiguration, type OidcFields } from "#catalog/oidc-configuration.ts";
import { listOf, recordOf, type Shape } from "#catalog/record-shape.ts";
import { checkSaml, type SamlConfiguration, type SamlFields } from "#catalog/saml-configuration.ts";
import { commitOrAbort, type Row, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

/** All configurations of an organization together, so that a request reads them in one go. */
interface FederationsRecord {
  readonly oidc: readonly OidcConfiguration[];
  readonly saml: readonly SamlConfiguration[];
}

const SHAPE: Shape<FederationsRecord> = {
  oidc: listOf(recordOf({})),
  saml: listOf(recordOf({})),
};
const NONE: FederationsRecord = { oidc: [], saml: [] };
const EACH_MAX = 100;

/**
 * Whom organizations trust to say who their workloads are. A credential lives only as long as the
 * configuration it came through is there and active.
 */
export class Federations {
  readonly #meta: MetaStore;
  readonly #clock: Clock;
  readonly #table: Table<FederationsRecord>;

  constructor(meta: MetaStore, clock: Clock) {
    this.#meta = meta;
    this.#clock = clock;
    this.#table = new Table(meta, "F", SHAPE);
  }

  async listOidc(organizationId: string): Promise<readonly OidcConfiguration[]> {
    return (await this.#read(organizationId)).value.oidc;
  }

  async listSaml(organizationId: string): Promise<readonly SamlConfiguration[]> {
    return (await this.#read(organizationId)).value.saml;
  }

  /** Whether there is such a configuration, of either kind, and it is active. */
  async isLive(organizationId: string, id: string): Promise<boolean> {
    const { oidc, saml } = (await this.#read(organizationId)).value;
    const found = [...oidc, ...saml].find((configuration) => configuration.id === id);
    return found?.active === true;
  }

  /** Fails: InvalidArgument, AlreadyExists (the name, or issuer and audience), ResourceExhausted, Aborted. */
  async createOidc(organizationId: string, fields: OidcFields): Promise<OidcConfiguration> {
    checkOidc(fields);
    return await this.#change(organizationId, ({ oidc, saml }) => {
      const configuration = { ...fields, ...this.#newborn() };
      requireRoom(oidc);
      requireApart(configuration, oidc);
      return { record: { oidc: [...oidc, configuration], saml }, result: configuration };
    });
  }

  /** Only what is given changes. Fails: NotFound, and as createOidc. */
  async updateOidc(
    organizationId: string,
    id: string,
    change: Change<OidcFields>,
  ): Promise<OidcConfiguration> {
    return await this.#change(organizationId, ({ oidc, saml }) => {
      const before = byId(oidc, id);
      const changed = { ...changedBy(before, change), updatedMs: this.#clock.now() };
      checkOidc(changed);
      const others = oidc.filter((each) => each !== before);
      requireApart(changed, others);
      const all = oidc.map((each) => (each === before ? changed : each));
      return { record: { oidc: all, saml }, result: changed };
    });
  }

  /** Fails: NotFound, Aborted. */
  async deleteOidc(organizationId: string, id: string): Promise<void> {
    await this.#change(organizationId, ({ oidc, saml }) => {
      const gone = byId(oidc, id);
      return { record: { oidc: oidc.filter((each) => each !== gone), saml }, result: undefined };
    });
  }

  /** Fails: InvalidArgument, AlreadyExists (the name), ResourceExhausted, Aborted. */
  async createSaml(organizationId: string, fields: SamlFields): Promise<SamlConfiguration> {
    const checked = checkSaml(fields);
    return await this.#change(organizationId, ({ oidc, saml }) => {
      const configuration = { ...checked, ...this.#newborn() };
      requireRoom(saml);
      requireName(configuration, saml);
      return { record: { oidc, saml: [...saml, configuration] }, result: configuration };
    });
  }

  /** Only what is given changes. Fails: NotFound, and as createSaml. */
  async updateSaml(
    organizationId: string,
    id: string,
    change: Change<SamlFields>,
  ): Promise<SamlConfiguration> {
    return await this.#change(organizationId, ({ oidc, saml }) => {
      const before = byId(saml, id);
      const checked = checkSaml(changedBy(before, change));
      const changed = { ...before, ...checked, updatedMs: this.#clock.now() };
      const others = saml.filter((each) => each !== before);
      requireName(changed, others);
      const all = saml.map((each) => (each === before ? changed : each));
      return { record: { oidc, saml: all }, result: changed };
    });
  }

  /** Fails: NotFound, Aborted. */
  async deleteSaml(organizationId: string, id: string): Promise<void> {
    await this.#change(organizationId, ({ oidc, saml }) => {
      const gone = byId(saml, id);
      return { record: { oidc, saml: saml.filter((each) => each !== gone) }, result: undefined };
    });
  }

  #newborn() {
    const nowMs = this.#clock.now();
    return { id: randomHex(16), createdMs: nowMs, updatedMs: nowMs };
  }

  async #read(organizationId: string): Promise<Omit<Row<FederationsRecord>, "id">> {
    return (await this.#table.find(organizationId)) ?? { value: NONE, revision: 0 };
  }

  async #change<Result>(
    organizationId: string,
    change: (record: FederationsRecord) => {
      readonly record: FederationsRecord;
      readonly result: Result;
    },
  ): Promise<Result> {
    const { value, revision } = await this.#read(organizationId);
    const { record, result } = change(value);
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(organizationId, revision)],
      writes: [this.#table.write(organizationId, record)],
    });
    return result;
  }
}

/** What is undefined stays as it is. */
type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

function changedBy<T extends Fields, Fields extends object>(before: T, change: Change<Fields>): T {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(given) };
}

function byId<C extends { readonly id: string }>(all: readonly C[], id: string): C {
  const found = all.find((each) => each.id === id);
  if (found === undefined) throw new ControlError("NotFound", `configuration "${id}" not found`);
  return found;
}

function requireRoom(all: readonly unknown[]): void {
  if (all.length < EACH_MAX) return;
  throw new ControlError(
    "ResourceExhausted",
    `an organization has at most ${EACH_MAX} of each kind`,
  );
}

function requireName(
  { name }: { readonly name: string },
  others: readonly { readonly name: string }[],
): void {
  if (others.every((other) => other.name !== name)) return;
  throw new ControlError("AlreadyExists", `configuration "${name}" already exists`);
}

/** A token must be one configuration's: else which of two decides would be chance. */
function requireApart(own: OidcConfiguration, others: readonly OidcConfiguration[]): void {
  requireName(own, others);
  for (const { name, issuerUrl, audiences } of others) {
    const shared = audiences.find((audience) => own.audiences.includes(audience));
    if (issuerUrl !== own.issuerUrl || shared === undefined) continue;
    const message = `configuration "${name}" already has the issuer ${issuerUrl} with the audience "${shared}"`;
    throw new ControlError("AlreadyExists", message);
  }
}
