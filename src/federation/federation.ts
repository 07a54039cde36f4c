import type { Lookup } from "#access/condition-keys.ts";
import { decide } from "#access/decide.ts";
import type { Principal } from "#access/principal.ts";
import type { Clock } from "#base/clock.ts";
import { checkAttributes } from "#catalog/access-key-form.ts";
import type { AccessKeys, MadeAccessKey } from "#catalog/access-keys.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import type { Identities } from "#catalog/identities.ts";
import { SESSION_SECONDS_MAX, type SessionKey, type SessionKeys } from "#catalog/session-keys.ts";
import { FederationError } from "#federation/federation-error.ts";
import type { OidcIdentities, OidcIdentity } from "#federation/oidc-identity.ts";
import { type SamlAsk, SamlIdentities } from "#federation/saml-identity.ts";

/** What is asked of a key besides whom it is for. */
export interface KeyAsk {
  /** 0: as long as may be, which is 12 hours: a role of elsewhere has no key that never ends. */
  readonly durationSeconds: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** What conditions of policies may look at. */
  readonly lookup: Lookup;
  /** Told who asks, as soon as that is known, whether or not they get a key. */
  readonly identified?: (principal: Principal) => void;
}

/** A session key, and whom it is for. */
export interface FederatedSession extends SessionKey {
  readonly identity: OidcIdentity;
}

interface Parts extends Identities {
  readonly clock: Clock;
}

/** Lets workloads and people of elsewhere in, for a time, by what their own providers say of them. */
export class Federation {
  readonly #clock: Clock;
  readonly #policies: AccessPolicies;
  readonly #keys: AccessKeys;
  readonly #sessionKeys: SessionKeys;
  readonly #saml: SamlIdentities;
  readonly #openOidc: () => Promise<OidcIdentities>;
  #oidc: Promise<OidcIdentities> | undefined;

  constructor({ clock, policies, keys, sessionKeys, federations, usedAssertions }: Parts) {
    this.#clock = clock;
    this.#policies = policies;
    this.#keys = keys;
    this.#sessionKeys = sessionKeys;
    this.#openOidc = async () => {
      // At the first token, with its library: most processes never see one.
      const { openOidcIdentities } = await import("#federation/oidc-identity.ts");
      return openOidcIdentities({ federations, clock });
    };
    this.#saml = new SamlIdentities({ federations, usedAssertions, clock });
  }

  /** Fails: FederationError, and as keys are created. */
  async keyByOidc(
    ask: KeyAsk & { readonly organizationId: string; readonly token: string },
  ): Promise<MadeAccessKey> {
    const { principal, federationId } = await this.identify(ask.organizationId, ask.token);
    ask.identified?.(principal);
    await this.#requireAllowed(principal, "cwobject:CreateAccessKeyOIDC", ask.lookup);
    return await this.#storedKey(ask, { principal, federationId });
  }

  /** Fails: FederationError, and as keys are created. */
  async keyBySaml(ask: KeyAsk & SamlAsk): Promise<MadeAccessKey> {
    const { use, ...identity } = await this.#saml.identify(ask);
    ask.identified?.(identity.principal);
    await this.#requireAllowed(identity.principal, "cwobject:CreateAccessKeySAML", ask.lookup);
    // Before the assertion is spent.
    checkAttributes(ask.attributes);
    await use();
    return await this.#storedKey(ask, identity);
  }

  /** Fails: FederationError. */
  async identify(organizationId: string, token: string): Promise<OidcIdentity> {
    this.#oidc ??= this.#openOidc();
    return await (await this.#oidc).identify(organizationId, token);
  }

  /** A key with a session token, for a role that was identified. Fails: FederationError "denied". */
  async session(
    identity: OidcIdentity,
    { durationSeconds, lookup }: Pick<KeyAsk, "durationSeconds" | "lookup">,
  ): Promise<FederatedSession> {
    const { principal, federationId } = identity;
    await this.#requireAllowed(principal, "cwobject:CreateAccessKeyOIDC", lookup);
    const key = await this.#sessionKeys.create({ principal, federationId, durationSeconds });
    return { ...key, identity };
  }

  async #storedKey(
    { durationSeconds, attributes }: KeyAsk,
    identity: {
      readonly principal: Principal;
      readonly federationId: string;
      readonly sessionEndMs?: number | undefined;
    },
  ): Promise<MadeAccessKey> {
    const { principal, federationId, sessionEndMs = Number.POSITIVE_INFINITY } = identity;
    const left = Math.floor((sessionEndMs - this.#clock.now()) / 1_000);
    const seconds = Math.min(durationSeconds || SESSION_SECONDS_MAX, Math.max(left, 1));
    return await this.#keys.create({
      ...{ principal, federationId, attributes },
      durationSeconds: seconds,
      withSession: false,
    });
  }

  /** Fails: FederationError "denied". */
  async #requireAllowed(principal: Principal, action: string, lookup: Lookup): Promise<void> {
    const { organizationId = "" } = principal;
    const organization = await this.#policies.rules(organizationId);
    const asked = { principal, action, resource: "*", organization, lookup };
    if (decide({ ...asked, bucket: undefined }).allowed) return;
    throw new FederationError(
      "denied",
      `permission denied: ${principal.name} is not allowed ${action}`,
    );
  }
}
