import { type Principal, userName } from "#access/principal.ts";
import { ControlError } from "#base/control-error.ts";
import type { Federations } from "#catalog/federations.ts";
import type { Users } from "#catalog/users.ts";

/** Whom a credential was given to, and what must still be there for it to work. */
export interface Holder {
  readonly principal: Principal;
  /** Of a user: which one of those that ever had the name. */
  readonly incarnation?: string | undefined;
  /** Of a federated role: the configuration that let it in. */
  readonly federationId?: string | undefined;
}

/** Tells of the holders of credentials whether they are still there, and what they are now. */
export class Holders {
  readonly #users: Users;
  readonly #federations: Federations;

  constructor(parts: { readonly users: Users; readonly federations: Federations }) {
    this.#users = parts.users;
    this.#federations = parts.federations;
  }

  /** A holder for a credential that is being made. Fails: NotFound when the user is gone. */
  async holder(principal: Principal, federationId: string | undefined): Promise<Holder> {
    const { organizationId } = principal;
    const uid = userName(principal);
    if (uid === undefined || organizationId === undefined) return { principal, federationId };
    const { incarnation } = (await this.#users.get({ organizationId, uid })).value;
    return { principal, incarnation };
  }

  /**
   * A user with the groups of this moment; undefined when the user is gone, if another of the same name
   * came since, and when the configuration that a role came through is gone or not active.
   */
  async asItIsNow({
    principal,
    incarnation,
    federationId,
  }: Holder): Promise<Principal | undefined> {
    const { organizationId } = principal;
    if (organizationId === undefined) return principal;
    const uid = userName(principal);
    if (uid !== undefined) return await this.#users.principal({ organizationId, uid }, incarnation);
    if (federationId === undefined) return principal;
    const isLive = await this.#federations.isLive(organizationId, federationId);
    return isLive ? principal : undefined;
  }
}

/** Fails: InvalidArgument for who can hold no credential. */
export function organizationOf({ organizationId, name }: Principal): string {
  if (organizationId !== undefined) return organizationId;
  throw new ControlError("InvalidArgument", `${name} belongs to no organization`);
}
