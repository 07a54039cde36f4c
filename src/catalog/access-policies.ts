import { readOrganizationPolicy } from "#access/organization-policy.ts";
import { organizationRules } from "#access/organization-rules.ts";
import { PolicyError } from "#access/policy-error.ts";
import { Rules } from "#access/rules.ts";
import { ControlError } from "#base/control-error.ts";
import { StorageError } from "#base/error.ts";
import { NO_LIMITS, type OrganizationLimits } from "#catalog/organization-limits.ts";
import { isNumber, isText, mapOf, maybe, recordOf, type Shape } from "#catalog/record-shape.ts";
import { commitOrAbort, type Row, Table } from "#catalog/table.ts";
import type { MetaStore } from "#meta/store.ts";

/** All policies of an organization together, and its limits, so that a request reads them in one go. */
interface PoliciesRecord {
  /** Documents as they were put, by name. */
  readonly documents: Readonly<Record<string, string>>;
  readonly limits?: OrganizationLimits;
}

const SHAPE: Shape<PoliciesRecord> = {
  documents: mapOf(isText),
  limits: maybe(
    recordOf<OrganizationLimits>({
      quotas: mapOf(mapOf(isNumber)),
      principalRates: mapOf(isNumber),
    }),
  ),
};

/** What requests that concern an organization are held against. */
export interface Standing {
  /** Policies, ready to be asked. An organization without any has none: everything is refused. */
  readonly rules: Rules;
  readonly limits: OrganizationLimits;
}

const POLICIES_MAX = 100;
const BYTES_MAX = 2 ** 20;
const NONE: Standing = { rules: new Rules([]), limits: NO_LIMITS };

/** The access policies of organizations, and what stands beside them. */
export class AccessPolicies {
  readonly #meta: MetaStore;
  readonly #table: Table<PoliciesRecord>;
  /** Made ready, by organization, good for as long as the record's revision is. */
  readonly #standings = new Map<
    string,
    { readonly revision: number; readonly standing: Standing }
  >();

  constructor(meta: MetaStore) {
    this.#meta = meta;
    this.#table = new Table(meta, "P", SHAPE);
  }

  async rules(organizationId: string): Promise<Rules> {
    return (await this.standing(organizationId)).rules;
  }

  /**
   * Fails: StorageError "corrupt" when any of the policies cannot be read: it may be the one that denies.
   */
  async standing(organizationId: string): Promise<Standing> {
    const row = await this.#table.find(organizationId);
    if (row === undefined) return NONE;
    const known = this.#standings.get(organizationId);
    if (known?.revision === row.revision) return known.standing;
    const { documents, limits = NO_LIMITS } = row.value;
    const standing = { rules: rulesOf(organizationId, documents), limits };
    if (this.#standings.size >= KNOWN_MAX) this.#standings.clear();
    this.#standings.set(organizationId, { revision: row.revision, standing });
    return standing;
  }

  /** Fails: Aborted, and as `change` does. */
  async changeLimits(
    organizationId: string,
    change: (limits: OrganizationLimits) => OrganizationLimits,
  ): Promise<OrganizationLimits> {
    const row = await this.#table.find(organizationId);
    const { documents = {}, limits = NO_LIMITS } = row?.value ?? {};
    const changed = change(limits);
    await this.#write(organizationId, row, { documents, limits: changed });
    return changed;
  }

  /** Documents by name, in the order of their names. */
  async list(
    organizationId: string,
  ): Promise<readonly (readonly [name: string, document: string])[]> {
    const row = await this.#table.find(organizationId);
    return Object.entries(row?.value.documents ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /**
   * Puts a policy in place of the one of the same name, if there is one. Resolves to its name.
   * Fails: InvalidArgument, whose message points at what is wrong; ResourceExhausted, Aborted.
   */
  async ensure(organizationId: string, document: string): Promise<string> {
    const { name } = readPolicy(document);
    const row = await this.#table.find(organizationId);
    const documents = { ...row?.value.documents, [name]: document };
    const bytes = Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (Object.keys(documents).length > POLICIES_MAX || bytes > BYTES_MAX) {
      const message = `an organization has at most ${POLICIES_MAX} access policies of ${BYTES_MAX} bytes together`;
      throw new ControlError("ResourceExhausted", message);
    }
    await this.#write(organizationId, row, { ...row?.value, documents });
    return name;
  }

  /** Fails: NotFound, Aborted. */
  async delete(organizationId: string, name: string): Promise<void> {
    const row = await this.#table.find(organizationId);
    const { [name]: gone, ...documents } = row?.value.documents ?? {};
    if (gone === undefined) throw new ControlError("NotFound", `access policy "${name}" not found`);
    await this.#write(organizationId, row, { ...row?.value, documents });
  }

  async #write(
    organizationId: string,
    row: Row<PoliciesRecord> | undefined,
    record: PoliciesRecord,
  ): Promise<void> {
    await commitOrAbort(this.#meta, {
      guards: [this.#table.guard(organizationId, row?.revision)],
      writes: [this.#table.write(organizationId, record)],
    });
  }
}

const KNOWN_MAX = 1_000;

/** Fails: StorageError "corrupt". */
function rulesOf(organizationId: string, documents: PoliciesRecord["documents"]): Rules {
  try {
    return organizationRules(Object.values(documents).map(readOrganizationPolicy));
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    const message = `the access policies of organization "${organizationId}" cannot be read`;
    throw new StorageError("corrupt", message, cause);
  }
}

function readPolicy(document: string): ReturnType<typeof readOrganizationPolicy> {
  try {
    return readOrganizationPolicy(document);
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new ControlError("InvalidArgument", cause.message, { cause });
  }
}
