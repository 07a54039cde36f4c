import type { Clock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import { AccessKeys } from "#catalog/access-keys.ts";
import { AccessPolicies } from "#catalog/access-policies.ts";
import { ApiTokens } from "#catalog/api-tokens.ts";
import { Organizations } from "#catalog/organizations.ts";
import { Users } from "#catalog/users.ts";
import type { MetaStore } from "#meta/store.ts";

/** Who there is, and what they may do. */
export interface Identities {
  readonly organizations: Organizations;
  readonly users: Users;
  readonly keys: AccessKeys;
  readonly policies: AccessPolicies;
  readonly tokens: ApiTokens;
}

export interface IdentitiesParts {
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly keyring: Keyring;
}

export function openIdentities({ meta, clock, keyring }: IdentitiesParts): Identities {
  const users = new Users(meta, clock);
  return {
    organizations: new Organizations(meta, clock),
    users,
    keys: new AccessKeys({ meta, clock, keyring, users }),
    policies: new AccessPolicies(meta),
    tokens: new ApiTokens({ meta, clock, users }),
  };
}
