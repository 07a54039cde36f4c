import { tokenDigest } from "#admin/caller.ts";
import { FailedAttempts } from "#admin/failed-attempts.ts";
import type { Control } from "#admin/handle.ts";
import { OPERATIONS } from "#admin/operations.ts";
import { router } from "#admin/route.ts";
import { Catalog } from "#catalog/catalog.ts";
import { type IdentitiesParts, openIdentities } from "#catalog/identities.ts";

export interface ControlParts extends IdentitiesParts {
  readonly operatorToken: string;
  readonly firstOrganizationId: string;
  readonly report: Control["report"];
}

/** Puts the control API together. */
export function composeControl(parts: ControlParts): Control {
  const { meta, clock, operatorToken, firstOrganizationId, report } = parts;
  return {
    ...openIdentities(parts),
    catalog: new Catalog(meta, clock),
    clock,
    operatorDigest: tokenDigest(operatorToken),
    firstOrganizationId,
    attempts: new FailedAttempts(clock),
    route: router(OPERATIONS),
    report,
  };
}
