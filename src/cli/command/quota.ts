import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command, Option } from "#cli/command.ts";
import { field, table } from "#cli/layout.ts";
import { bytes } from "#cli/quantity.ts";

const QUOTAS = "/v1/lode/quotas";
const CLASS: Readonly<Record<string, Option>> = {
  class: { value: "CLASS", summary: "STANDARD, which it is when absent, or STANDARD_IA" },
};

export const quotaCommands: readonly Command[] = [
  {
    name: "quota list",
    summary: "what the organization may hold, and how far that is used",
    run: async (_, { api }) => {
      const json = await api.call({ path: QUOTAS });
      return { json, text: table(json["quotas"] as readonly Json[], COLUMNS) };
    },
  },
  {
    name: "quota set",
    summary: "say how much an organization may hold in a zone",
    arguments: [{ name: "ZONE" }],
    options: { bytes: { value: "SIZE", summary: "as 500GiB; 0: nothing more" }, ...CLASS },
    more: "For example: lode quota set us-east-1 --bytes 100TiB --org ab1cd2",
    run: async (given, { api }) => {
      const zone = given.argument("ZONE");
      const size = bytes("bytes", given.requiredText("bytes"));
      const storageClass = classOf(given.text("class"));
      const body = { zone, storageClass, bytes: String(size) };
      const json = await api.call({ method: "PUT", path: QUOTAS, body });
      return { json, text: `${readableBytes(size)} of ${storageClass} in ${zone}.` };
    },
  },
  {
    name: "quota delete",
    summary: "let an organization hold as much as there is space in a zone",
    arguments: [{ name: "ZONE" }],
    options: CLASS,
    run: async (given, { api }) => {
      const zone = given.argument("ZONE");
      const storageClass = classOf(given.text("class"));
      const path = `${QUOTAS}/${encodeURIComponent(zone)}/${encodeURIComponent(storageClass)}`;
      const json = await api.call({ method: "DELETE", path });
      return { json, text: `No quota for ${storageClass} in ${zone} any more.` };
    },
  },
];

const COLUMNS = [
  field("zone"),
  field("storageClass", "class"),
  { title: "quota", of: ({ bytes }: Json) => readableBytes(Number(bytes)) },
  { title: "used", of: ({ usedBytes }: Json) => readableBytes(Number(usedBytes)) },
  { title: "%", of: percentOf },
];

function classOf(text = "STANDARD"): string {
  return text.toUpperCase();
}

function percentOf({ bytes, usedBytes }: Json): string {
  const quota = Number(bytes);
  return quota === 0 ? "-" : String(Math.floor((Number(usedBytes) / quota) * 100));
}
