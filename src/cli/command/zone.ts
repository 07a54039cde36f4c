import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, table, timeOf } from "#cli/layout.ts";

const ZONES = "/v1/lode/zone";
const NAME = [{ name: "NAME" }] as const;

export const zoneCommands: readonly Command[] = [
  {
    name: "zone list",
    summary: "zones that new buckets may be in; while there are none, any",
    run: async (_, { api }) => {
      const zones = (await api.call({ path: ZONES }))["zones"] as readonly Json[];
      return { json: zones, text: table(zones, COLUMNS) };
    },
  },
  {
    name: "zone create",
    summary: "name a zone; from the first on, new buckets must be in one",
    arguments: NAME,
    more: "For example: lode zone create US-EAST-04A",
    run: async (given, { api }) => {
      const name = given.argument("NAME");
      const json = await api.call({ method: "POST", path: ZONES, body: { name } });
      return { json, text: `New buckets may be in ${name}.` };
    },
  },
  {
    name: "zone delete",
    summary: "let no new bucket be in a zone; those that are there stay",
    arguments: NAME,
    run: async (given, { api }) => {
      const name = given.argument("NAME");
      const path = `${ZONES}/${encodeURIComponent(name)}`;
      const json = await api.call({ method: "DELETE", path });
      return { json, text: `No new bucket may be in ${name}.` };
    },
  },
];

const COLUMNS = [
  field("name", "zone"),
  { title: "created", of: (row: Json) => timeOf(row["creationTime"]) },
];
