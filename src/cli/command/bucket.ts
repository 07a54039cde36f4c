import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";
import { bytes, onOff } from "#cli/quantity.ts";

const INFO = "/v1/cwobject/bucket-info";

export const bucketCommands: readonly Command[] = [
  {
    name: "bucket list",
    summary: "buckets of the organization, with what they hold",
    run: async (_, { api }) => {
      const buckets = await Array.fromAsync(api.list(INFO, "info"));
      return { json: buckets, text: table(buckets, COLUMNS) };
    },
  },
  {
    name: "bucket get",
    summary: "one bucket, with its settings",
    arguments: [{ name: "BUCKET" }],
    run: async (given, { api }) => {
      const path = `${INFO}/${encodeURIComponent(given.argument("BUCKET"))}`;
      const { info } = await api.call({ path });
      return { json: info, text: shown(info as Json) };
    },
  },
  {
    name: "bucket update",
    summary: "change the settings of a bucket",
    arguments: [{ name: "BUCKET" }],
    options: {
      audit: { value: "on|off", summary: "records of requests to it" },
      cap: { value: "SIZE", summary: "what it may hold, as 500GiB; none: as much as there is" },
    },
    more: "For example: lode bucket update data --audit on --cap 1.5TiB",
    run: async (given, { api }) => {
      const cap = given.text("cap");
      const settings = {
        auditLoggingEnabled: onOff("audit", given.text("audit")),
        ...(cap === "none" ? { removeCapacityCap: true } : {}),
        ...(cap === undefined || cap === "none"
          ? {}
          : { capacityCapBytes: String(bytes("cap", cap)) }),
      };
      const body = { bucketName: given.argument("BUCKET"), settings };
      const json = await api.call({ method: "PUT", path: "/v1/cwobject/bucket/settings", body });
      return { json: json["settings"], text: pairs(settingsOf(json["settings"] as Json)) };
    },
  },
];

const COLUMNS = [
  field("name", "bucket"),
  field("location", "zone"),
  { title: "size", of: (row: Json) => usageOf(row, "USAGE_BYTES") },
  { title: "versions", of: (row: Json) => usageOf(row, "VERSIONS") },
  { title: "created", of: (row: Json) => timeOf(row["creationTime"]) },
];

function usageOf({ usage }: Json, type: string): string {
  const measured = (usage as readonly Json[]).find(
    ({ measurementType }) => measurementType === type,
  );
  return textOf(measured?.["valueHumanReadable"]);
}

function shown(info: Json): string {
  return pairs([
    ["bucket", textOf(info["name"])],
    ["zone", textOf(info["location"])],
    ["created", timeOf(info["creationTime"])],
    ["size", usageOf(info, "USAGE_BYTES")],
    ["unfinished uploads", `${usageOf(info, "UPLOADS")}, ${usageOf(info, "UPLOAD_BYTES")}`],
    ["versions", usageOf(info, "VERSIONS")],
    ["delete markers", usageOf(info, "DELETE_MARKERS")],
    ...settingsOf(info["settings"] as Json),
  ]);
}

function settingsOf(settings: Json): readonly (readonly [string, string])[] {
  const cap = settings["capacityCapBytes"];
  return [
    ["audit", settings["auditLoggingEnabled"] === true ? "on" : "off"],
    ["capacity cap", cap === undefined ? "none" : readableBytes(Number(cap))],
  ];
}
