import type { Principal } from "#access/principal.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Keyring } from "#base/keyring.ts";
import type { BlobStore } from "#blob/store.ts";
import { isSessionKeyId } from "#catalog/access-key-form.ts";
import { Catalog } from "#catalog/catalog.ts";
import { type Identities, openIdentities } from "#catalog/identities.ts";
import { Knowledge } from "#catalog/known.ts";
import { Federation } from "#federation/federation.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { FindCredential } from "#s3/authenticate.ts";
import { BucketSessions } from "#s3/bucket-session.ts";
import { OPERATIONS } from "#s3/operations.ts";
import type { Addressing } from "#s3/request.ts";
import { router } from "#s3/route.ts";
import { Throttle } from "#s3/throttle.ts";
import type { StsFront } from "#sts/handle.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import type { EngineLimits } from "#versioned/store.ts";
import { VolumeEngine } from "#volume/engine.ts";
import type { Volume } from "#volume/volume.ts";

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
  readonly report: StsFront["report"];
  /** The directory that a bucket is; absent: no bucket is one. */
  readonly volumeOf?: (bucket: Bucket) => Promise<Volume>;
  /** How many processes serve together; 1 when absent. */
  readonly workers?: number;
}

/** The root key, and whom it stands for. */
export interface RootCredential {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly principal: Principal;
}

/** Puts the parts together: the only place, with main.ts's neighbours, that knows them all. */
export function composeFront(composition: Composition): StsFront {
  const { meta, clock, root, addressing, region, strictLocation, lifecycleDayMs, report } =
    composition;
  const { workers = 1 } = composition;
  const engine = new VersionedEngine(composition);
  const volumes = composition.volumeOf && new VolumeEngine(composition.volumeOf);
  const identities = openIdentities(composition);
  const catalog = new Catalog(meta, clock);
  return {
    catalog,
    engineOf: ({ volume }) => {
      if (volume === undefined) return engine;
      assert(volumes !== undefined, "a server that knows volumes is composed with them");
      return volumes;
    },
    knowledge: new Knowledge({ ...identities, meta, catalog }),
    federation: new Federation({ ...identities, clock }),
    findCredential: finder(root, identities),
    sessions: new BucketSessions(composition.keyring),
    route: router(OPERATIONS),
    throttle: new Throttle({ clock, workers }),
    clock,
    addressing,
    region,
    strictLocation,
    lifecycleDayMs,
    report,
  };
}

function finder(root: RootCredential, { sessionKeys }: Identities): FindCredential {
  const { secret, principal } = root;
  const credential = { secret, principal, expiryMs: undefined, sessionDigest: undefined };
  return (known, accessKeyId, sessionToken) => {
    if (accessKeyId === root.accessKeyId) return credential;
    if (!isSessionKeyId(accessKeyId)) return known.findKey(accessKeyId);
    if (sessionToken === undefined) return undefined;
    return sessionKeys.find(accessKeyId, sessionToken);
  };
}
