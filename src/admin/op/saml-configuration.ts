import { z } from "zod";
import { empty, flag, message, text, timestamp, timestampOf } from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import type { SamlConfiguration } from "#catalog/saml-configuration.ts";

const view = z.object({
  /** The `configId` of CreateAccessKeyFromSAML. */
  id: text,
  orgId: text,
  name: text,
  description: text,
  idpEntityId: text,
  certificates: z.array(text),
  audience: text,
  /** Not there when assertions may be meant for any place. */
  acsUrl: text.optional(),
  active: z.boolean(),
  creationTime: timestamp,
  updateTime: timestamp,
});

const fields = {
  name: text.optional(),
  description: text.optional(),
  idpEntityId: text.optional(),
  /** X.509, in PEM; of several either of them will do. */
  certificate: text.optional(),
  certificates: z.array(text).optional(),
  audience: text.optional(),
  acsUrl: text.optional(),
  active: flag.optional(),
};

const createSamlConfiguration = operation({
  name: "CreateSAMLConfiguration",
  summary:
    "Trust a SAML identity provider to name roles. Who may do this may become any role of the organization.",
  method: "POST",
  path: "/v1/lode/federation/saml",
  needs: "cwobject:CreateFederation",
  input: message({
    ...fields,
    name: text,
    description: text.default(""),
    idpEntityId: text,
    audience: text,
    active: flag.default(true),
  }),
  output: view,
  run: async (services, { certificate, certificates, ...input }) => {
    const { federations, organizationId } = services;
    const wanted = {
      ...input,
      acsUrl: input.acsUrl,
      certificates: joined(certificate, certificates),
    };
    return shown(services, await federations.createSaml(organizationId, wanted));
  },
});

const updateSamlConfiguration = operation({
  name: "UpdateSAMLConfiguration",
  summary:
    "Change a configuration; what is left out stays as it is. Keys that came through one end at once when it is made inactive.",
  method: "PUT",
  path: "/v1/lode/federation/saml/{id}",
  needs: "cwobject:UpdateFederation",
  input: message({ ...fields, id: text }),
  output: view,
  run: async (services, { id, certificate, certificates, ...input }) => {
    const { federations, organizationId } = services;
    const named = joined(certificate, certificates);
    const change = { ...input, certificates: named.length > 0 ? named : undefined };
    return shown(services, await federations.updateSaml(organizationId, id, change));
  },
});

const listSamlConfigurations = operation({
  name: "ListSAMLConfigurations",
  summary: "List the SAML identity providers that the organization trusts.",
  method: "GET",
  path: "/v1/lode/federation/saml",
  needs: "cwobject:ListFederations",
  input: empty,
  output: z.object({ configurations: z.array(view) }),
  run: async (services) => {
    const all = await services.federations.listSaml(services.organizationId);
    return { configurations: all.map((each) => shown(services, each)) };
  },
});

const getSamlConfiguration = operation({
  name: "GetSAMLConfiguration",
  summary: "Tell about a SAML identity provider that the organization trusts.",
  method: "GET",
  path: "/v1/lode/federation/saml/{id}",
  needs: "cwobject:ListFederations",
  input: message({ id: text }),
  output: view,
  run: async (services, { id: wanted }) => {
    const all = await services.federations.listSaml(services.organizationId);
    const found = all.find(({ id }) => id === wanted);
    if (found !== undefined) return shown(services, found);
    throw new ControlError("NotFound", `configuration "${wanted}" not found`);
  },
});

const deleteSamlConfiguration = operation({
  name: "DeleteSAMLConfiguration",
  summary: "Trust a SAML identity provider no more. Keys that came through it end at once.",
  method: "DELETE",
  path: "/v1/lode/federation/saml/{id}",
  needs: "cwobject:DeleteFederation",
  input: message({ id: text }),
  output: empty,
  run: async ({ federations, organizationId }, { id }) => {
    await federations.deleteSaml(organizationId, id);
    return {};
  },
});

export const samlConfiguration: readonly Operation[] = [
  createSamlConfiguration,
  deleteSamlConfiguration,
  getSamlConfiguration,
  listSamlConfigurations,
  updateSamlConfiguration,
];

function joined(one: string | undefined, several: readonly string[] = []): readonly string[] {
  return one === undefined ? several : [one, ...several];
}

function shown(
  { organizationId }: Services,
  { createdMs, updatedMs, certificates, ...configuration }: SamlConfiguration,
): z.input<typeof view> {
  return {
    ...configuration,
    orgId: organizationId,
    certificates: [...certificates],
    creationTime: timestampOf(createdMs),
    updateTime: timestampOf(updatedMs),
  };
}
