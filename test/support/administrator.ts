import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import { Catalog } from "#catalog/catalog.ts";
import { firstAdministrator } from "#catalog/first-start.ts";
import { openIdentities } from "#catalog/identities.ts";
import type { MetaStore } from "#meta/store.ts";
import { TEST_KEYRING } from "#test/support/keyring.ts";

/** Whom the root key of a new server stands for, made in its store. */
export async function administratorIn(meta: MetaStore, clock: Clock): Promise<Principal> {
  const identities = openIdentities({ meta, clock, keyring: TEST_KEYRING });
  return await firstAdministrator({ meta, identities, catalog: new Catalog(meta, clock) });
}
