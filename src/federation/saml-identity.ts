import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import type { Federations } from "#catalog/federations.ts";
import type { UsedAssertions } from "#catalog/used-assertions.ts";
import { namedRole } from "#federation/role.ts";
import { readAssertion } from "#federation/saml-assertion.ts";
import { invalid, parsed, readSamlDocument } from "#federation/saml-document.ts";
import { verifiedAssertion } from "#federation/saml-library.ts";

/** Whom a response stands for. */
export interface SamlIdentity {
  readonly principal: Principal;
  /** The configuration that says so. */
  readonly federationId: string;
  /** What it lets in may not last longer. */
  readonly sessionEndMs: number | undefined;
  /** Uses the assertion up. Fails: FederationError "invalid" when it was before. */
  readonly use: () => Promise<void>;
}

export interface SamlIdentitiesParts {
  readonly federations: Federations;
  readonly usedAssertions: UsedAssertions;
  readonly clock: Clock;
}

export interface SamlAsk {
  readonly organizationId: string;
  /** undefined: the only one there is. */
  readonly configurationId: string | undefined;
  /** Base64. */
  readonly response: string;
}

/**
 * Says whom SAML responses stand for. We never ask a provider anything, so all are unasked for; each is
 * good once.
 *
 * Spec: https://docs.coreweave.com/products/storage/object-storage/auth-access/workload-identity-federation/saml-workload-federation
 */
export class SamlIdentities {
  readonly #parts: SamlIdentitiesParts;

  constructor(parts: SamlIdentitiesParts) {
    this.#parts = parts;
  }

  /** Fails: FederationError. */
  async identify({ organizationId, configurationId, response }: SamlAsk): Promise<SamlIdentity> {
    const { federations, usedAssertions, clock } = this.#parts;
    const active = (await federations.listSaml(organizationId)).filter((each) => each.active);
    const [configuration, ...more] = active.filter(
      ({ id }) => configurationId === undefined || id === configurationId,
    );
    if (configuration === undefined || more.length > 0) {
      const which = configurationId === undefined ? "that is the only one: name one" : "of that id";
      throw invalid(`organization "${organizationId}" has no active configuration ${which}`);
    }
    const xml = readSamlDocument(response);
    const verified = parsed(await verifiedAssertion(xml, configuration));
    const assertion = readAssertion(verified, configuration, clock.now());
    return {
      principal: namedRole(organizationId, assertion.role),
      federationId: configuration.id,
      sessionEndMs: assertion.sessionEndMs,
      use: async () => {
        const name = [organizationId, configuration.id, assertion.id];
        if (await usedAssertions.use(name, assertion.endMs)) return;
        throw invalid("it has been used before");
      },
    };
  }
}
