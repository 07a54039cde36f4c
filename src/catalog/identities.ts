import type { Clock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import { AccessKeys } from "#catalog/access-keys.ts";
import { AccessPolicies } from "#catalog/access-policies.ts";
import { ApiTokens } from "#catalog/api-tokens.ts";
import { Federations } from "#catalog/federations.ts";
import { Holders } from "#catalog/holders.ts";
import { Organizations } from "#catalog/organizations.ts";
import { Quotas } from "#catalog/quotas.ts";
import { Revocations } from "#catalog/revocations.ts";
import { SESSION_SECONDS_MAX, SessionKeys } from "#catalog/session-keys.ts";
import { UsedAssertions } from "#catalog/used-assertions.ts";
import { Users } from "#catalog/users.ts";
import type { MetaStore } from "#meta/store.ts";

/** Who there is, and what they may do. */
export interface Identities {
  readonly organizations: Organizations;
  readonly users: Users;
  readonly keys: AccessKeys;
  readonly policies: AccessPolicies;
  readonly quotas: Quotas;
  readonly tokens: ApiTokens;
  readonly federations: Federations;
  readonly sessionKeys: SessionKeys;
  readonly usedAssertions: UsedAssertions;
}

export interface IdentitiesParts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly keyring: Keyring;
}

export function openIdentities({ meta, clock, keyring }: IdentitiesParts): Identities {
  const users = new Users(meta, clock);
  const policies = new AccessPolicies(meta);
  const federations = new Federations(meta, clock);
  const holders = new Holders({ users, federations });
  const lifeMsMax = SESSION_SECONDS_MAX * 1_000;
  const revocations = new Revocations({ meta, clock, lifeMsMax });
  return {
    organizations: new Organizations(meta, clock),
    users,
    keys: new AccessKeys({ meta, clock, keyring, holders, revocations }),
    policies,
    quotas: new Quotas(policies),
    tokens: new ApiTokens({ meta, clock, users }),
    federations,
    sessionKeys: new SessionKeys({ clock, keyring, holders, revocations }),
    usedAssertions: new UsedAssertions(meta, clock),
  };
}
