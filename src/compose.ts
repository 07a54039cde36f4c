import type { Caller } from "#access/authorize.ts";
import { digestOf } from "#base/checksum.ts";
import type { Clock } from "#base/clock.ts";
import type { BlobStore } from "#blob/store.ts";
import { Catalog } from "#catalog/catalog.ts";
import type { MetaStore } from "#meta/store.ts";
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
  readonly root: { readonly accessKeyId: string; readonly secret: string };
  readonly addressing: Addressing;
  readonly region: string;
  readonly strictLocation: boolean;
  readonly report: Front["report"];
}

/** Puts the parts together: the only place, with main.ts's neighbours, that knows them all. */
export function composeFront(composition: Composition): Front {
  const { meta, clock, root, addressing, region, strictLocation, report } = composition;
  const engine = new VersionedEngine(composition);
  const credential = { secret: root.secret, caller: rootCaller() };
  return {
    catalog: new Catalog(meta, clock),
    engineOf: () => engine,
    findCredential: async (id) => (id === root.accessKeyId ? credential : undefined),
    route: router(OPERATIONS),
    clock,
    addressing,
    region,
    strictLocation,
    report,
  };
}

/** The holder of the root key, who may do everything. */
function rootCaller(): Caller {
  return {
    principal: "root",
    ownerId: digestOf("SHA256", Buffer.from("lode/root")).toString("hex"),
    displayName: "root",
    allows: () => true,
  };
}
