import { tokenDigest } from "#admin/caller.ts";
import { FailedAttempts } from "#admin/failed-attempts.ts";
import type { Control } from "#admin/handle.ts";
import { OPERATIONS } from "#admin/operations.ts";
import { router } from "#admin/route.ts";
import { Catalog } from "#catalog/catalog.ts";
import { openIdentities } from "#catalog/identities.ts";
import type { Composition } from "#compose.ts";
import { Federation } from "#federation/federation.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { usageKey } from "#versioned/keys.ts";
import { readUsage } from "#versioned/usage.ts";

/** What the control API over some stores is made with. */
export interface ControlComposition
  extends Pick<
    Composition,
    "meta" | "blobs" | "clock" | "limits" | "keyring" | "lifecycleDayMs" | "report"
  > {
  readonly operatorToken: string;
  /** What the operator speaks of when no other is named. */
  readonly firstOrganizationId: string;
}

/** Puts the parts of the control API together. */
export function composeControl(composition: ControlComposition): Control {
  const { meta, clock, lifecycleDayMs, report } = composition;
  const engine = new VersionedEngine(composition);
  const identities = openIdentities(composition);
  return {
    ...identities,
    federation: new Federation({ ...identities, clock }),
    catalog: new Catalog(meta, clock),
    clock,
    engineOf: () => engine,
    usageOf: async ({ id }) => await readUsage(meta, usageKey(id)),
    lifecycleDayMs,
    operatorDigest: tokenDigest(composition.operatorToken),
    firstOrganizationId: composition.firstOrganizationId,
    attempts: new FailedAttempts(clock),
    route: router(OPERATIONS),
    report,
  };
}
