import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import type { Federations } from "#catalog/federations.ts";
import type { OidcConfiguration } from "#catalog/oidc-configuration.ts";
import { FederationError } from "#federation/federation-error.ts";
import { fetchJson } from "#federation/fetch-json.ts";
import { IssuerKeys } from "#federation/issuer-keys.ts";
import {
  type KeySet,
  readKeySet,
  readToken,
  type TokenClaim,
  type VerifiedToken,
  verifyToken,
} from "#federation/oidc-token.ts";
import { namedRole, subjectRole } from "#federation/role.ts";

/** Whom a token stands for. */
export interface OidcIdentity {
  readonly principal: Principal;
  /** The configuration that says so. */
  readonly federationId: string;
  readonly issuer: string;
  readonly subject: string;
  /** Of the token's audiences one that the configuration names. */
  readonly audience: string;
}

interface OpenParts {
  readonly federations: Federations;
  readonly clock: Clock;
}

export interface OidcIdentitiesParts extends OpenParts {
  readonly keys: IssuerKeys<KeySet>;
}

const ROLE_CLAIM = "https://coreweave.com/claims/role";

export function openOidcIdentities({ federations, clock }: OpenParts): OidcIdentities {
  const keys = new IssuerKeys({ clock, fetchJson, read: readKeySet });
  return new OidcIdentities({ federations, clock, keys });
}

/**
 * Says whom OIDC tokens stand for. Only issuers that the organization has configured are ever asked for
 * keys, and only for tokens that could be theirs.
 *
 * Spec: https://docs.coreweave.com/products/storage/object-storage/auth-access/workload-identity-federation/use-oidc-tokens
 */
export class OidcIdentities {
  readonly #parts: OidcIdentitiesParts;
  /** Keys that stand in configurations, read. */
  readonly #given = new WeakMap<OidcConfiguration, KeySet>();

  constructor(parts: OidcIdentitiesParts) {
    this.#parts = parts;
  }

  /** Fails: FederationError. */
  async identify(organizationId: string, token: string): Promise<OidcIdentity> {
    const claim = readToken(token, this.#parts.clock.now());
    const configuration = await this.#configurationOf(organizationId, claim);
    const { issuerUrl, audiences } = configuration;
    const { subject, claims } = await this.#verified(token, configuration);
    const audience = claim.audiences.find((each) => audiences.includes(each)) ?? "";
    const role = configuration.roleClaim ? roleIn(claims) : undefined;
    return {
      principal:
        role === undefined
          ? subjectRole(organizationId, { issuer: issuerUrl, subject })
          : namedRole(organizationId, role),
      federationId: configuration.id,
      issuer: issuerUrl,
      subject,
      audience,
    };
  }

  /** Fails: FederationError "invalid". */
  async #configurationOf(
    organizationId: string,
    { issuer, audiences }: TokenClaim,
  ): Promise<OidcConfiguration> {
    const all = await this.#parts.federations.listOidc(organizationId);
    const own = all.filter(({ active, issuerUrl }) => active && issuerUrl === issuer);
    if (own.length === 0) {
      const message = `Invalid token: organization "${organizationId}" has no active configuration for its issuer (iss)`;
      throw new FederationError("invalid", message);
    }
    const found = own.find((each) =>
      audiences.some((audience) => each.audiences.includes(audience)),
    );
    if (found !== undefined) return found;
    const message = "Invalid token: its audience (aud) is not the one that is configured";
    throw new FederationError("invalid", message);
  }

  async #verified(token: string, configuration: OidcConfiguration): Promise<VerifiedToken> {
    const { keys, clock } = this.#parts;
    const { issuerUrl, audiences, jwks } = configuration;
    const rules = { issuer: issuerUrl, audiences, nowMs: clock.now() };
    const given = jwks === undefined ? undefined : this.#givenKeys(configuration, jwks);
    const first = await verifyToken(token, given ?? (await keys.of(configuration)), rules);
    if (first !== undefined) return first;
    const renewed = given === undefined ? await keys.renewed(configuration) : undefined;
    const second = renewed && (await verifyToken(token, renewed, rules));
    if (second !== undefined) return second;
    throw new FederationError("invalid", "Invalid token: no key of the issuer is the one it names");
  }

  /** Fails: FederationError "unreachable" when they cannot be used. */
  #givenKeys(configuration: OidcConfiguration, jwks: string): KeySet {
    const known = this.#given.get(configuration);
    if (known !== undefined) return known;
    try {
      const keys = readKeySet(JSON.parse(jwks));
      this.#given.set(configuration, keys);
      return keys;
    } catch (cause) {
      const message = "the keys (jwks) in the configuration cannot be used";
      throw new FederationError("unreachable", message, cause);
    }
  }
}

/** Fails: FederationError "invalid". */
function roleIn(claims: VerifiedToken["claims"]): string {
  const role = claims[ROLE_CLAIM];
  if (typeof role === "string") return role;
  throw new FederationError("invalid", `Invalid token: it has no claim ${ROLE_CLAIM}`);
}
