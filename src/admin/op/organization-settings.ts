import { z } from "zod";
import { empty, flag, message } from "#admin/message.ts";
import { type Operation, operation } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";

const settings = z.object({
  controlPlaneAuditLoggingEnabled: z.boolean(),
  bucketAuditLoggingEnabled: z.boolean(),
});

const change = message({
  controlPlaneAuditLoggingEnabled: flag.optional(),
  bucketAuditLoggingEnabled: flag.optional(),
});

/** Spec: https://docs.coreweave.com/products/storage/object-storage/reference/object-storage-api-ref/cwobject/set-organization-settings */
const setOrganizationSettings = operation({
  name: "SetOrganizationSettings",
  summary: "Change the settings of the organization; what is left out stays as it is.",
  method: "PUT",
  path: "/v1/cwobject/organization/settings",
  needs: "cwobject:SetOrganizationSettings",
  input: message({ settings: change.optional() }),
  output: z.object({ settings }),
  run: async ({ organizations, organizationId, request }, { settings }) => {
    if (settings === undefined) {
      throw new ControlError("InvalidArgument", "organization settings are required");
    }
    const change = async () => await organizations.setSettings(organizationId, settings);
    if (settings.controlPlaneAuditLoggingEnabled !== false) return { settings: await change() };
    const identifier = "controlPlaneAuditLoggingEnabled=false";
    return { settings: await request.silencing({ organizationId, identifier }, change) };
  },
});

const getOrganizationSettings = operation({
  name: "GetOrganizationSettings",
  summary: "Tell the settings of the organization.",
  method: "GET",
  path: "/v1/lode/organization-settings",
  needs: "cwobject:GetOrganizationSettings",
  input: empty,
  output: z.object({ settings }),
  run: async ({ organizations, organizationId }) => ({
    settings: (await organizations.get(organizationId)).value.settings,
  }),
});

export const organizationSettings: readonly Operation[] = [
  getOrganizationSettings,
  setOrganizationSettings,
];
