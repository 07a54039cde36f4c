import type { Lookup } from "#access/condition-keys.ts";
import type { Principal } from "#access/principal.ts";
import { tag, wrap } from "#base/xml.ts";
import { SESSION_SECONDS_MAX } from "#catalog/session-keys.ts";
import type { FederatedSession, Federation } from "#federation/federation.ts";
import { numberOf, type Parameters, textOf } from "#sts/parameters.ts";
import { StsError } from "#sts/sts-error.ts";

export interface AssumeRole {
  readonly organizationId: string;
  /** What stands behind `role/`; undefined: whatever the token says. */
  readonly role: string | undefined;
  readonly sessionName: string;
  readonly token: string;
  readonly durationSeconds: number;
}

/** Says that the token alone decides which role it is. */
const ANY_ROLE = "oidc";
const ARN = /^arn:aws[a-z-]*:iam::([a-z0-9]{3,32}):role\/(.+)$/;

/**
 * Reads the parameters.
 *
 * Differs: on AWS a role is made beforehand, and RoleArn chooses among those that trust the token. The
 * role of a token is what its issuer and subject make of it, as CoreWeave has it; so RoleArn says the
 * organization, and `role/oidc`, or for who wants to be sure the very role.
 * Spec: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * Fails: StsError.
 */
export function readAssumeRole(parameters: Parameters): AssumeRole {
  refuseUnoffered(parameters);
  const roleArn = textOf(parameters, "RoleArn", { charsMin: 20, charsMax: 2_048 });
  const [, organizationId, role] = ARN.exec(roleArn) ?? [];
  if (organizationId === undefined || role === undefined) {
    const message = `RoleArn must be arn:aws:iam::<organization>:role/${ANY_ROLE}, or end in role/<issuer>:<sub> as policies name the role.`;
    throw new StsError("ValidationError", message);
  }
  return {
    organizationId,
    role: role === ANY_ROLE ? undefined : role,
    sessionName: textOf(parameters, "RoleSessionName", {
      ...{ charsMin: 2, charsMax: 64 },
      pattern: /^[\w+=,.@-]*$/,
    }),
    token: textOf(parameters, "WebIdentityToken", { charsMin: 4, charsMax: 20_000 }),
    durationSeconds: numberOf(parameters, "DurationSeconds", {
      ...{ fallback: 3_600, min: 900 },
      max: SESSION_SECONDS_MAX,
    }),
  };
}

/** To ignore what would have narrowed the rights would be to widen them. */
function refuseUnoffered(parameters: Parameters): void {
  for (const name of parameters.keys()) {
    if (name !== "Policy" && !name.startsWith("PolicyArns.")) continue;
    throw new StsError("NotImplemented", `${name} (session policies) is not implemented.`);
  }
  if (parameters.has("ProviderId")) {
    const message = "ProviderId is for OAuth 2.0 access tokens; leave it out for OIDC tokens.";
    throw new StsError("ValidationError", message);
  }
}

interface Asking {
  /** What conditions of policies may look at. */
  readonly lookup: Lookup;
  /** Told who asks, as soon as that is known. */
  readonly identified: (principal: Principal) => void;
}

/** Fails: StsError, FederationError. */
export async function assumeRole(
  federation: Federation,
  ask: AssumeRole,
  { lookup, identified }: Asking,
): Promise<FederatedSession> {
  const identity = await federation.identify(ask.organizationId, ask.token);
  identified(identity.principal);
  if (ask.role !== undefined && identity.principal.name !== `role/${ask.role}`) {
    const message = `Not authorized to perform sts:AssumeRoleWithWebIdentity: the token's role is ${identity.principal.name}, which RoleArn does not name.`;
    throw new StsError("AccessDenied", message);
  }
  return await federation.session(identity, { durationSeconds: ask.durationSeconds, lookup });
}

export function renderAssumeRole(session: FederatedSession, { sessionName }: AssumeRole): string {
  const { identity, accessKeyId, secretKey, sessionToken, expiryMs } = session;
  const user =
    tag("Arn", assumedRoleArn(identity.principal, sessionName)) +
    tag("AssumedRoleId", `${identity.federationId.toUpperCase()}:${sessionName}`);
  const credentials =
    tag("AccessKeyId", accessKeyId) +
    tag("SecretAccessKey", secretKey) +
    tag("SessionToken", sessionToken) +
    tag("Expiration", new Date(expiryMs).toISOString());
  return (
    tag("SubjectFromWebIdentityToken", identity.subject) +
    tag("Audience", identity.audience) +
    tag("Provider", identity.issuer) +
    wrap("AssumedRoleUser", user) +
    wrap("Credentials", credentials)
  );
}

function assumedRoleArn({ organizationId, name }: Principal, sessionName: string): string {
  return `arn:aws:sts::${organizationId}:assumed-role/${name.slice("role/".length)}/${sessionName}`;
}
