import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import { openIdentities } from "#catalog/identities.ts";
import type { MetaStore } from "#meta/store.ts";
import { BucketSessions } from "#s3/bucket-session.ts";
import type { Front } from "#s3/handle.ts";
import { OPERATIONS } from "#s3/operations.ts";
import type { Addressing } from "#s3/request.ts";
import { router } from "#s3/route.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import type { EngineLimits } from "#versioned/store.ts";

export const ENGINE_LIMITS: EngineLimits = {
  inlineBytesMax: 64 * 1_024,
  partBytesMin: 5 * 2 ** 20,
};

/** What a server over some stores is made with. */
export interface Composition {
  readonly meta: MetaStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly limits: EngineLimits;
  readonly keyring: Keyring;
  readonly root: RootCredential;
  readonly addressing: Addressing;
  readonly region: string;
  readonly strictLocation: boolean;
  readonly lifecycleDayMs: number;
  readonly report: Front["report"];
}

/** The root key, and whom it stands for. */
export interface RootCredential {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly principal: Principal;
}

/** Puts the parts together: the only place, with main.ts's neighbours, that knows them all. */
export function composeFront(composition: Composition): Front {
  const { meta, clock, root, addressing, region, strictLocation, lifecycleDayMs, report } =
    composition;
  const engine = new VersionedEngine(composition);
  const { keys, policies } = openIdentities(composition);
  const { secret, principal } = root;
  const credential = { secret, principal, expiryMs: undefined, sessionDigest: undefined };
  return {
    catalog: new Catalog(meta, clock),
    engineOf: () => engine,
    policies,
    findCredential: async (id) => (id === root.accessKeyId ? credential : await keys.find(id)),
    sessions: new BucketSessions(composition.keyring),
    route: router(OPERATIONS),
    clock,
    addressing,
    region,
    strictLocation,
    lifecycleDayMs,
    report,
  };
}
