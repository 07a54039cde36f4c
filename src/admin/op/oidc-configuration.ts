import { z } from "zod";
import { empty, flag, message, text, timestamp, timestampOf } from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import type { OidcConfiguration } from "#catalog/oidc-configuration.ts";

const view = z.object({
  id: text,
  orgId: text,
  name: text,
  description: text,
  issuerUrl: text,
  audiences: z.array(text),
  active: z.boolean(),
  /** Not there when the issuer's keys are fetched. */
  jwks: text.optional(),
  privateNetwork: z.boolean(),
  roleClaim: z.boolean(),
  creationTime: timestamp,
  updateTime: timestamp,
});

/** What may be changed later. */
const fields = {
  name: text.optional(),
  description: text.optional(),
  issuerUrl: text.optional(),
  /** Of several either of them will do. */
  audience: text.optional(),
  audiences: z.array(text).optional(),
  active: flag.optional(),
  jwks: text.optional(),
  privateNetwork: flag.optional(),
  roleClaim: flag.optional(),
};

const createOidcConfiguration = operation({
  name: "CreateOIDCConfiguration",
  summary:
    "Trust an issuer of OIDC tokens to name workloads. Who may do this may become any role of the organization.",
  method: "POST",
  path: "/v1/lode/federation/oidc",
  needs: "cwobject:CreateFederation",
  input: message({
    ...fields,
    name: text,
    description: text.default(""),
    issuerUrl: text,
    active: flag.default(true),
    privateNetwork: flag.default(false),
    roleClaim: flag.default(false),
  }),
  output: view,
  run: async (services, { audience, audiences, ...input }) => {
    const { federations, organizationId } = services;
    requireOperator(services, input.privateNetwork);
    const wanted = { ...input, jwks: input.jwks, audiences: joined(audience, audiences) };
    return shown(services, await federations.createOidc(organizationId, wanted));
  },
});

const updateOidcConfiguration = operation({
  name: "UpdateOIDCConfiguration",
  summary:
    "Change a configuration; what is left out stays as it is. Keys that came through one end at once when it is made inactive.",
  method: "PUT",
  path: "/v1/lode/federation/oidc/{id}",
  needs: "cwobject:UpdateFederation",
  input: message({ ...fields, id: text }),
  output: view,
  run: async (services, { id, audience, audiences, ...input }) => {
    const { federations, organizationId } = services;
    const before = await find(services, id);
    const { privateNetwork = before.privateNetwork, issuerUrl = before.issuerUrl } = input;
    const isSame = before.privateNetwork && issuerUrl === before.issuerUrl;
    requireOperator(services, privateNetwork && !isSame);
    const named = joined(audience, audiences);
    const change = { ...input, audiences: named.length > 0 ? named : undefined };
    return shown(services, await federations.updateOidc(organizationId, id, change));
  },
});

const listOidcConfigurations = operation({
  name: "ListOIDCConfigurations",
  summary: "List the issuers of OIDC tokens that the organization trusts.",
  method: "GET",
  path: "/v1/lode/federation/oidc",
  needs: "cwobject:ListFederations",
  input: empty,
  output: z.object({ configurations: z.array(view) }),
  run: async (services) => {
    const all = await services.federations.listOidc(services.organizationId);
    return { configurations: all.map((each) => shown(services, each)) };
  },
});

const getOidcConfiguration = operation({
  name: "GetOIDCConfiguration",
  summary: "Tell about an issuer of OIDC tokens that the organization trusts.",
  method: "GET",
  path: "/v1/lode/federation/oidc/{id}",
  needs: "cwobject:ListFederations",
  input: message({ id: text }),
  output: view,
  run: async (services, { id }) => shown(services, await find(services, id)),
});

const deleteOidcConfiguration = operation({
  name: "DeleteOIDCConfiguration",
  summary: "Trust an issuer no more. Keys that came through it end at once.",
  method: "DELETE",
  path: "/v1/lode/federation/oidc/{id}",
  needs: "cwobject:DeleteFederation",
  input: message({ id: text }),
  output: empty,
  run: async ({ federations, organizationId }, { id }) => {
    await federations.deleteOidc(organizationId, id);
    return {};
  },
});

export const oidcConfiguration: readonly Operation[] = [
  createOidcConfiguration,
  deleteOidcConfiguration,
  getOidcConfiguration,
  listOidcConfigurations,
  updateOidcConfiguration,
];

/** What somebody else's server lets ours reach is for who runs ours to say. Fails: PermissionDenied. */
function requireOperator({ caller }: Services, wanted: boolean): void {
  if (!wanted || caller.kind === "operator") return;
  const message =
    "privateNetwork: only the token of the server's operator may set it, or change its issuerUrl";
  throw new ControlError("PermissionDenied", message);
}

/** Fails: NotFound. */
async function find(
  { federations, organizationId }: Services,
  wanted: string,
): Promise<OidcConfiguration> {
  const all = await federations.listOidc(organizationId);
  const found = all.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  throw new ControlError("NotFound", `configuration "${wanted}" not found`);
}

function joined(one: string | undefined, several: readonly string[] = []): readonly string[] {
  return one === undefined ? several : [one, ...several];
}

function shown(
  { organizationId }: Services,
  { createdMs, updatedMs, audiences, ...configuration }: OidcConfiguration,
): z.input<typeof view> {
  return {
    ...configuration,
    orgId: organizationId,
    audiences: [...audiences],
    creationTime: timestampOf(createdMs),
    updateTime: timestampOf(updatedMs),
  };
}
