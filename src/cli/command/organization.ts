import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";
import { onOff } from "#cli/quantity.ts";

const ORGANIZATIONS = "/v1/lode/organization";

export const organizationCommands: readonly Command[] = [
  {
    name: "org list",
    summary: "all organizations",
    run: async (_, { api }) => {
      const organizations = await Array.fromAsync(api.list(ORGANIZATIONS, "organizations"));
      return { json: organizations, text: table(organizations, COLUMNS) };
    },
  },
  {
    name: "org create",
    summary: "make an organization",
    arguments: [{ name: "ID", optional: true }],
    options: { name: { value: "NAME", summary: "for people" } },
    more: "For example: lode org create research --name 'Research and development'",
    run: async (given, { api }) => {
      const orgId = given.optionalArgument("ID");
      const body = { orgId, name: given.text("name") ?? orgId };
      const json = await api.call({ method: "POST", path: ORGANIZATIONS, body });
      return { json, text: shown(json) };
    },
  },
  {
    name: "org get",
    summary: "one organization",
    arguments: [{ name: "ID" }],
    run: async (given, { api }) => {
      const json = await api.call({ path: pathOf(given.argument("ID")) });
      return { json, text: shown(json) };
    },
  },
  {
    name: "org delete",
    summary: "delete an organization that has no buckets and no users",
    arguments: [{ name: "ID" }],
    run: async (given, { api }) => {
      const id = given.argument("ID");
      const json = await api.call({ method: "DELETE", path: pathOf(id) });
      return { json, text: `The organization "${id}" is deleted.` };
    },
  },
  {
    name: "org settings",
    summary: "show the settings of the organization, or change them",
    options: {
      "control-plane-audit": { value: "on|off", summary: "records of calls of the control API" },
      "bucket-audit": { value: "on|off", summary: "records of requests to all its buckets" },
    },
    run: async (given, { api }) => {
      const settings = {
        controlPlaneAuditLoggingEnabled: onOff(
          "control-plane-audit",
          given.text("control-plane-audit"),
        ),
        bucketAuditLoggingEnabled: onOff("bucket-audit", given.text("bucket-audit")),
      };
      const changes = Object.values(settings).some((value) => value !== undefined);
      const json = await api.call(
        changes
          ? { method: "PUT", path: "/v1/cwobject/organization/settings", body: { settings } }
          : { path: "/v1/lode/organization-settings" },
      );
      const now = json["settings"] as Json;
      const text = pairs([
        ["control plane audit", switchOf(now["controlPlaneAuditLoggingEnabled"])],
        ["bucket audit", switchOf(now["bucketAuditLoggingEnabled"])],
      ]);
      return { json: now, text };
    },
  },
];

const COLUMNS = [
  field("orgId", "id"),
  field("name"),
  { title: "created", of: (row: Json) => timeOf(row["creationTime"]) },
];

function pathOf(id: string): string {
  return `${ORGANIZATIONS}/${encodeURIComponent(id)}`;
}

function shown(organization: Json): string {
  return pairs([
    ["id", textOf(organization["orgId"])],
    ["name", textOf(organization["name"])],
    ["created", timeOf(organization["creationTime"])],
  ]);
}

function switchOf(value: unknown): string {
  return value === true ? "on" : "off";
}
